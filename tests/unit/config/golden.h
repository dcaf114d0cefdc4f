// The goldens of tests/config/: a configuration, and what Demarc says about it.
//   NN-title.yaml   the configuration; @KEYS@ stands for a directory with the files listed in NN-title.files
//   NN-title.ok     it is accepted: its canonical form
//   NN-title.err    it is refused: the diagnostics, as `demarc check` prints them
//   NN-title.warn   it is accepted, with these warnings
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace golden {

struct Case {
    std::filesystem::path yaml;
    std::string name;  // of the file, as printed
};

// What a configuration comes to: one of the first two is empty.
struct Outcome {
    std::string ok, err, warn;
};

std::vector<Case> cases();
Outcome run(const Case&);
// The golden beside the configuration; empty when there is none.
std::string expected(const Case&, const char* extension);
std::string read(const std::filesystem::path&);
std::filesystem::path source_root();

}  // namespace golden
