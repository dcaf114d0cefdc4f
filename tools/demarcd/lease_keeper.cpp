#include "tools/demarcd/lease_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "macsec/pn_lease.h"
#include "tools/demarcd/log.h"

namespace demarcd {

namespace {

using macsec::LeaseDirection;
using macsec::PnLease;

constexpr const char* suffix(LeaseDirection d) { return d == LeaseDirection::transmit ? ".transmit" : ".receive"; }

std::string failed(const std::string& what) {
    return fmt::format("{}: {}; packet-number leases need a directory on a local disk that demarcd may write", what,
                       std::strerror(errno));
}

bool make_directory(const std::string& path) { return mkdir(path.c_str(), 0700) == 0 || errno == EEXIST; }

bool sync_directory(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return good;
}

// Whole or not at all: a new file, on disk, takes the place of the old one.
bool replace_file(const std::string& directory, const std::string& name, const std::string& text) {
    const std::string fresh = directory + '/' + name + ".new";
    const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
    close(fd);
    return written && rename(fresh.c_str(), (directory + '/' + name).c_str()) == 0 && sync_directory(directory);
}

}  // namespace

std::expected<std::unique_ptr<LeaseKeeper>, std::string> LeaseKeeper::open(const std::string& state_directory) {
    const std::string leases = state_directory + "/leases";
    if (!make_directory(state_directory)) return std::unexpected(failed(state_directory));
    if (!make_directory(leases)) return std::unexpected(failed(leases));
    // A directory that a power cut forgets would make every key look unused.
    if (!sync_directory(state_directory) || !sync_directory(state_directory + "/.."))
        return std::unexpected(failed(state_directory));
    const std::string lock_file = leases + "/lock";
    const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) return std::unexpected(failed(lock_file));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        close(lock);
        return std::unexpected(
            fmt::format("{}: another demarcd uses this state directory; stop it, or give this one a "
                        "router.state-directory of its own",
                        state_directory));
    }
    std::unique_ptr<LeaseKeeper> keeper(new LeaseKeeper(leases, lock));
    keeper->thread_ = std::jthread([k = keeper.get()](const std::stop_token& stop) { k->run(stop); });
    return keeper;
}

LeaseKeeper::~LeaseKeeper() {
    thread_.request_stop();
    writes_.send({});  // wakes it
    thread_.join();
    close(lock_);
}

// None: a key never seen. Error: seen, and nobody knows how far it went.
std::expected<std::optional<std::uint64_t>, std::string> LeaseKeeper::stored(const std::string& fingerprint,
                                                                             LeaseDirection direction) const {
    const std::string path = directory_ + '/' + fingerprint + suffix(direction);
    std::ifstream file(path);
    if (!file) {
        if (errno == ENOENT) return std::nullopt;
        return std::unexpected(failed(path));
    }
    std::ostringstream text;
    text << file.rdbuf();
    const auto lease = macsec::parse_lease(text.str());
    if (!lease) return std::unexpected(fmt::format("{}: {}", path, lease.error()));
    if (lease->key != fingerprint || lease->direction != direction)
        return std::unexpected(
            fmt::format("{}: this lease is of another key; nobody knows which packet numbers this one "
                        "has used: replace the SAK",
                        path));
    return lease->pn;
}

std::expected<std::uint64_t, std::string> LeaseKeeper::first_transmit_pn(const std::string& fingerprint) const {
    const auto ceiling = stored(fingerprint, LeaseDirection::transmit);
    if (!ceiling) return std::unexpected(ceiling.error());
    const auto use = uses_.find(fingerprint);
    return std::max(macsec::first_pn(*ceiling), use == uses_.end() ? 0 : use->second.top);
}

std::expected<std::uint64_t, std::string> LeaseKeeper::first_receive_pn(const std::string& fingerprint) const {
    const auto lowest = stored(fingerprint, LeaseDirection::receive);
    if (!lowest) return std::unexpected(lowest.error());
    const auto told = lowest_.find(fingerprint);  // perhaps on its way to the disk
    return std::max(macsec::first_pn(*lowest), told == lowest_.end() ? 0 : told->second);
}

std::expected<void, std::string> LeaseKeeper::check_salt(const std::string& sak_id,
                                                         const std::string& fingerprint) const {
    const std::string path = directory_ + '/' + sak_id + ".salt";
    std::string known;
    if (const auto found = salted_.find(sak_id); found != salted_.end()) {
        known = found->second;
    } else {
        std::ifstream file(path);
        if (!file && errno == ENOENT) return {};
        std::getline(file, known);
    }
    if (known == fingerprint) return check_lease(fingerprint);
    return std::unexpected(
        fmt::format("{}: this SAK was used with another salt, and under this one nonces would repeat; "
                    "replace the SAK, too",
                    path));
}

// The key has been used: without its lease nobody knows how far.
std::expected<void, std::string> LeaseKeeper::check_lease(const std::string& fingerprint) const {
    if (uses_.contains(fingerprint)) return {};  // by this process; perhaps on its way to the disk
    const auto ceiling = stored(fingerprint, LeaseDirection::transmit);
    if (!ceiling) return std::unexpected(ceiling.error());
    if (*ceiling) return {};
    return std::unexpected(
        fmt::format("{}/{}{}: this lease is gone, and nobody knows which packet numbers its key has used: replace the "
                    "SAK",
                    directory_, fingerprint, suffix(LeaseDirection::transmit)));
}

void LeaseKeeper::hold(const std::string& fingerprint, const std::string& sak_id,
                       const std::shared_ptr<macsec::TransmitSa>& sa) {
    Use& use = uses_[fingerprint];
    use.holder = sa;
    use.sak_id = sak_id;
    salted_[sak_id] = fingerprint;
}

void LeaseKeeper::extend(const std::string& fingerprint, const std::shared_ptr<macsec::TransmitSa>& sa,
                         std::uint64_t ceiling) {
    const auto use = uses_.find(fingerprint);
    if (use == uses_.end() || use->second.holder.lock() != sa) return;
    use->second.top = std::max(use->second.top, ceiling);
    writes_.send({{LeaseDirection::transmit, fingerprint, use->second.top}, sa, use->second.sak_id});
}

void LeaseKeeper::remember(const std::string& fingerprint, std::uint64_t lowest_pn) {
    std::uint64_t& lowest = lowest_[fingerprint];
    if (lowest_pn <= lowest) return;
    lowest = lowest_pn;
    writes_.send({{LeaseDirection::receive, fingerprint, lowest}, nullptr, {}});
}

void LeaseKeeper::run(const std::stop_token& stop) {
    const auto write_all = [this] {
        for (const auto& w : writes_.take())
            if (!w.lease.key.empty()) write(w);
    };
    pollfd wait{writes_.event(), POLLIN, 0};
    while (!stop.stop_requested()) {
        poll(&wait, 1, -1);
        write_all();
    }
    write_all();  // what was sent while the last ones were written
}

bool LeaseKeeper::record_salt(const Write& w) {
    if (w.sak_id.empty() || recorded_.contains(w.sak_id)) return true;
    if (!replace_file(directory_, w.sak_id + ".salt", w.lease.key + '\n')) return false;
    recorded_.insert(w.sak_id);
    return true;
}

// The worker sees the ceiling only after it is on disk, and it never falls. The salt comes second: a salt on disk means
// that there is a lease.
void LeaseKeeper::write(const Write& w) {
    if (!replace_file(directory_, w.lease.key + suffix(w.lease.direction), macsec::format_lease(w.lease)) ||
        !record_salt(w)) {
        failures_.fetch_add(1, std::memory_order_relaxed);
        spdlog::error("packet-number lease of key {} not written: {}; the SA stops at its ceiling", w.lease.key,
                      std::strerror(errno));
        return;
    }
    if (w.sa && w.sa->pn_ceiling.load(std::memory_order_relaxed) < w.lease.pn)
        w.sa->pn_ceiling.store(w.lease.pn, std::memory_order_release);
}

}  // namespace demarcd
