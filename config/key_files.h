// Key files: the only place of this folder that touches the file system. A file holds one line, `sak: HEX`, `cak: HEX`
// or HEX alone; a password file holds the password. Nobody but its owner may read it, and the owner is us or root.
// control thread only. No error ever holds content; every buffer of ours is wiped.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace config {

enum class KeyKind : std::uint8_t { sak, cak };

// Reads the key in `file` into the first octets of `room` (the caller's locked memory) and returns how many there are;
// `lengths` says which numbers are right (16 or 32). On error nothing of the key is left in `room`. Diagnostic::place
// is not set. `us`: the other user, besides root, whose files are taken.
std::expected<std::size_t, Diagnostic> read_key(const std::string& file, KeyKind kind,
                                                std::span<const std::size_t> lengths, std::span<std::uint8_t> room,
                                                uid_t us = geteuid());

// The same for a BGP password: 1 to 80 printable ASCII characters without space, as bgpd takes them.
std::expected<std::size_t, Diagnostic> read_password(const std::string& file, std::span<std::uint8_t> room,
                                                     uid_t us = geteuid());

// Whether every key and password file the model names can be read, has the right length, and no SAK stands in two files
// where one file would be refused ("key-file-twice"). What reload runs before it applies anything.
std::vector<Diagnostic> check_key_files(const Model&, uid_t us = geteuid());

std::span<const std::string_view> key_file_rules();

}  // namespace config
