#include "tests/unit/config/golden.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/key_files.h"
#include "config/parse.h"
#include "config/print.h"
#include "config/validate.h"

namespace golden {
namespace fs = std::filesystem;
namespace {

// A directory with a golden's key files; gone at the end.
class KeyDirectory {
public:
    explicit KeyDirectory(const fs::path& list) {
        char name[] = "/tmp/demarc-keys-XXXXXX";
        path_ = mkdtemp(name);
        std::ifstream in(list);
        std::string file, mode, owner, content;
        while (in >> file >> mode >> owner && std::getline(in, content)) {
            std::ofstream(path_ / file) << content << '\n';
            chmod((path_ / file).c_str(), static_cast<mode_t>(std::stoul(mode, nullptr, 8)));
            if (owner == "them") them_ = true, give_away(path_ / file);
        }
    }
    ~KeyDirectory() { fs::remove_all(path_); }
    KeyDirectory(const KeyDirectory&) = delete;
    KeyDirectory& operator=(const KeyDirectory&) = delete;

    std::string path() const { return path_.string(); }
    // Root gives a file to another user; anybody else takes himself for another user.
    uid_t us() const { return them_ && geteuid() != 0 ? geteuid() + 1 : geteuid(); }
    std::string owner() const { return std::to_string(geteuid() == 0 ? kNobody : geteuid()); }

private:
    static constexpr uid_t kNobody = 65534;
    static void give_away(const fs::path& file) {
        if (geteuid() == 0 && chown(file.c_str(), kNobody, kNobody) != 0) std::abort();
    }
    fs::path path_;
    bool them_{};
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size())
        text.replace(at, what.size(), by);
    return text;
}

std::string rendered(const std::vector<config::Diagnostic>& list, const Case& c) {
    std::string text;
    for (const auto& d : list) text += config::render(d, c.name) + '\n';
    return text;
}

Outcome judge(const Case& c, const std::string& text, bool with_files, uid_t us) {
    const auto model = config::parse(text, c.name);
    if (!model) return {"", rendered(model.error(), c), ""};
    auto errors = config::validate(*model);
    if (errors.empty() && with_files) errors = config::check_key_files(*model, us);
    if (!errors.empty()) return {"", rendered(errors, c), ""};
    return {config::print(*model), "", rendered(config::warnings(*model), c)};
}

}  // namespace

fs::path source_root() { return DEMARC_SOURCE; }

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const auto& entry : fs::directory_iterator(source_root() / "tests/config"))
        if (entry.path().extension() == ".yaml") all.push_back({entry.path(), entry.path().filename().string()});
    std::ranges::sort(all, {}, &Case::name);
    return all;
}

Outcome run(const Case& c) {
    const auto list = fs::path(c.yaml).replace_extension(".files");
    if (!fs::exists(list)) return judge(c, read(c.yaml), false, geteuid());
    const KeyDirectory keys(list);
    Outcome o = judge(c, replaced(read(c.yaml), "@KEYS@", keys.path()), true, keys.us());
    for (std::string* text : {&o.ok, &o.err, &o.warn})
        *text = replaced(replaced(*text, keys.path(), "@KEYS@"), "user " + keys.owner(), "user @OWNER@");
    return o;
}

std::string expected(const Case& c, const char* extension) {
    return read(fs::path(c.yaml).replace_extension(extension));
}

}  // namespace golden
