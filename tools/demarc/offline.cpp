// 1. read the file
// 2. parse and validate
// 3. say it is good, print it, or turn it into FRR's
#include "tools/demarc/offline.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <expected>
#include <vector>

#include "bgp-glue/frr_config.h"
#include "config/key_files.h"
#include "config/parse.h"
#include "config/print.h"
#include "config/validate.h"
#include "tools/demarc/style.h"

namespace cli {
namespace {

Output failed(std::string err) { return {kNotOk, "", std::move(err)}; }

std::string sentence(std::string_view text) { return fmt::format("demarc: {}\n", text); }

// At most one octet more than parse() takes, so that it can say that the file is too long.
std::expected<std::string, std::string> read_file(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::string text;
    std::array<char, 65536> chunk;
    ssize_t n = fd < 0 ? -1 : 0;
    while (fd >= 0 && text.size() <= config::kMaxFileOctets && (n = read(fd, chunk.data(), chunk.size())) > 0)
        text.append(chunk.data(), static_cast<std::size_t>(n));
    const int error = errno;
    if (fd >= 0) close(fd);
    if (n < 0)
        return std::unexpected(sentence(fmt::format("cannot read {}: {}; name a configuration file that you may read",
                                                    escaped(path), std::strerror(error))));
    return text;
}

std::string lines(const std::vector<config::Diagnostic>& diagnostics, const std::string& path) {
    std::string text;
    for (const auto& d : diagnostics) text += escaped(config::render(d, path)) + "\n";
    return text;
}

// A model that may be applied, or what to print on standard error.
std::expected<config::Model, std::string> load(const std::string& path) {
    const auto text = read_file(path);
    if (!text) return std::unexpected(text.error());
    auto model = config::parse(*text, path);
    if (!model) return std::unexpected(lines(model.error(), path));
    if (const auto wrong = config::validate(*model); !wrong.empty()) return std::unexpected(lines(wrong, path));
    return *std::move(model);
}

std::uint32_t whole_seconds(std::uint64_t milliseconds) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(milliseconds / 1000, UINT32_MAX));
}

bgp_glue::FrrRouter without_passwords(const config::Model& m, const net::IpAddress& fpm_address) {
    const config::Bgp& b = *m.bgp;
    bgp_glue::FrrRouter r;
    r.hostname = m.router.name;
    r.asn = b.asn;
    r.router_id = b.router_id;
    r.hold_s = whole_seconds(b.hold_ms);
    r.keepalive_s = whole_seconds(b.keepalive_ms);
    r.connect_s = whole_seconds(b.connect_ms);
    r.announce = b.announce;
    r.accept = b.accept;
    r.fpm_address = fpm_address;
    r.fpm_port = m.host.fpm_port;
    for (const auto& n : b.neighbors) r.neighbors.push_back({n.address, n.asn, n.interface, "", n.maximum_prefix});
    return r;
}

// Error: a line for standard error, without content of a password file.
std::expected<void, std::string> read_passwords(const config::Model& m, bgp_glue::FrrRouter& r,
                                                const std::string& path) {
    prctl(PR_SET_DUMPABLE, 0);  // from here on a core would hold passwords
    std::array<std::uint8_t, 128> room{};
    for (std::size_t i = 0; i < r.neighbors.size(); ++i) {
        const config::BgpNeighbor& n = m.bgp->neighbors[i];
        if (n.password_file.empty()) continue;
        auto size = config::read_password(n.password_file, room);
        if (!size) {
            size.error().place = n.place;
            return std::unexpected(lines({size.error()}, path));
        }
        r.neighbors[i].password.assign(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*size));
        explicit_bzero(room.data(), room.size());
    }
    return {};
}

std::string text_of(const bgp_glue::FrrTexts& texts, const std::string& daemon) {
    return daemon == "zebra"   ? texts.zebra
         : daemon == "bgpd"    ? texts.bgpd
         : daemon == "staticd" ? texts.staticd
                               : texts.integrated();
}

}  // namespace

Output check_file(const std::string& path) {
    const auto model = load(path);
    if (!model) return failed(model.error());
    std::string warnings;
    for (const auto& d : config::warnings(*model)) warnings += escaped("warning: " + config::render(d, path)) + "\n";
    return {kOk, fmt::format("{}: ok\n", escaped(path)), std::move(warnings)};
}

Output print_file(const std::string& path) {
    const auto model = load(path);
    if (!model) return failed(model.error());
    return {kOk, config::print(*model), ""};
}

Output frr_config(const std::string& path, const std::string& daemon, bool show_passwords, bool to_terminal) {
    const auto model = load(path);
    if (!model) return failed(model.error());
    if (!model->bgp)
        return failed(sentence(fmt::format("{} has no bgp section; write one, see demarc.yaml(5)", escaped(path))));
    const auto fpm_address = net::parse_ip(model->host.fpm_address);
    if (!fpm_address) return failed(sentence("host fpm address is no IP address; write one like 127.0.0.1"));
    bgp_glue::FrrRouter router = without_passwords(*model, *fpm_address);
    const bool wants_passwords =
        (daemon == "bgpd" || daemon == "all") &&
        std::ranges::any_of(model->bgp->neighbors, [](const auto& n) { return !n.password_file.empty(); });
    if (wants_passwords && to_terminal && !show_passwords)
        return failed(
            sentence("this would print BGP passwords to a terminal; redirect it into a file, or say --show-passwords"));
    if (wants_passwords)
        if (const auto read = read_passwords(*model, router, path); !read) return failed(read.error());
    const auto texts = bgp_glue::frr_config(router);
    if (!texts) return failed(sentence(fmt::format("{}: {}", escaped(path), texts.error())));
    return {kOk, text_of(*texts, daemon), ""};
}

}  // namespace cli
