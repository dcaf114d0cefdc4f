// Runs a fuzz target over files and folders of stored inputs: what the normal build does with a corpus.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool run(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) return false;
    // Exactly as large as the input: what reads beyond it is seen by a sanitizer.
    const std::vector<std::uint8_t> octets(text.begin(), text.end());
    LLVMFuzzerTestOneInput(octets.data(), octets.size());
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t inputs = 0;
    for (int i = 1; i < argc; ++i) {
        const std::filesystem::path path(argv[i]);
        if (!std::filesystem::is_directory(path)) {
            inputs += run(path);
            continue;
        }
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
            if (entry.is_regular_file()) inputs += run(entry.path());
    }
    std::printf("%zu inputs\n", inputs);
    if (inputs == 0) std::fprintf(stderr, "no input was read; name the corpus folder\n");
    return inputs == 0 ? 1 : 0;
}
