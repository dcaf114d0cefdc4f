#include "dataplane/steering.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <mutex>
#include <system_error>

#include "dataplane/xdp/drop_object.h"
#include "dataplane/xdp/steer_object.h"

namespace dataplane {
namespace {

// Handles of our filters on a clsact that we made, and on one that was there before.
constexpr std::uint32_t kOnOurClsact = 0xDE01, kOnForeignClsact = 0xDE02;
constexpr std::uint32_t kPriority = 1;

std::mutex message_mutex;  // libbpf's callback may run on any thread
std::string message;

int keep_message(libbpf_print_level level, const char* format, va_list arguments) {
    if (level != LIBBPF_WARN) return 0;
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    std::string line(text);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    const std::lock_guard lock(message_mutex);
    message = std::move(line);
    return 0;
}
void listen_to_libbpf() {
    static std::once_flag once;
    std::call_once(once, [] { libbpf_set_print(keep_message); });
}

std::string words(int error) {
    return std::generic_category().message(error < 0 ? -error : error);
}
std::string remedy(int error) {
    error = error < 0 ? -error : error;
    if (error == EPERM || error == EACCES) return "run as root or with CAP_NET_ADMIN, CAP_BPF and CAP_SYS_ADMIN";
    if (error == ENOENT || error == EOPNOTSUPP)
        return "the kernel needs CONFIG_NET_CLS_BPF, CONFIG_NET_SCH_INGRESS and CONFIG_XDP_SOCKETS";
    return take_bpf_message();
}

// A program's name by its number; empty when it has gone or may not be seen.
std::string program_name(std::uint32_t id) {
    const int fd = bpf_prog_get_fd_by_id(id);
    if (fd < 0) return {};
    bpf_prog_info info{};
    std::uint32_t octets = sizeof info;
    const int result = bpf_obj_get_info_by_fd(fd, &info, &octets);
    ::close(fd);
    return result == 0 ? std::string(info.name) : std::string();
}

struct CloseObject {
    void operator()(bpf_object* o) const noexcept { bpf_object__close(o); }
};
using Object = std::unique_ptr<bpf_object, CloseObject>;

std::expected<Object, int> load_drop() {
    Object o(bpf_object__open_mem(kDropObject, sizeof kDropObject, nullptr));
    if (!o) return std::unexpected(errno);
    if (const int error = bpf_object__load(o.get())) return std::unexpected(-error);
    return o;
}

bpf_tc_hook hook(std::uint32_t ifindex, int where) {
    bpf_tc_hook h{};
    h.sz = sizeof h;
    h.ifindex = static_cast<int>(ifindex);
    h.attach_point = static_cast<bpf_tc_attach_point>(where);
    return h;
}
bpf_tc_opts options(std::uint32_t handle) {
    bpf_tc_opts o{};
    o.sz = sizeof o;
    o.handle = handle;
    o.priority = kPriority;
    return o;
}

// Whether our filter stands at this handle already, on either side: left by a process that was killed.
bool stands(std::uint32_t ifindex, std::uint32_t handle) {
    for (const int where : {BPF_TC_INGRESS, BPF_TC_EGRESS}) {
        const auto h = hook(ifindex, where);
        auto o = options(handle);
        if (bpf_tc_query(&h, &o) == 0 && program_name(o.prog_id) == kDropProgram) return true;
    }
    return false;
}

}  // namespace

std::string take_bpf_message() {
    const std::lock_guard lock(message_mutex);
    return std::exchange(message, {});
}

std::expected<SteerFile, std::string> SteerFile::make() {
    listen_to_libbpf();
    SteerFile file(::memfd_create("steer.bpf.o", MFD_CLOEXEC));
    if (file.fd_ < 0 || ::write(file.fd_, kSteerObject, sizeof kSteerObject) != ssize_t{sizeof kSteerObject})
        return std::unexpected(fmt::format("cannot keep the XDP program in memory: {}", words(errno)));
    return file;
}

SteerFile::~SteerFile() {
    if (fd_ >= 0) ::close(fd_);
}

std::expected<std::string, std::string> xdp_program(std::uint32_t ifindex, const std::string& netdev) {
    listen_to_libbpf();
    std::uint32_t id = 0;
    if (const int error = bpf_xdp_query_id(static_cast<int>(ifindex), 0, &id))
        return std::unexpected(fmt::format("cannot ask {} for its XDP program: {}", netdev, words(error)));
    if (id == 0) return std::string();
    auto name = program_name(id);
    if (name.empty())
        return std::unexpected(fmt::format("cannot look at XDP program {} on {}: {}", id, netdev, remedy(EPERM)));
    return name;
}

std::expected<void, std::string> detach_steer(std::uint32_t ifindex, const std::string& netdev) {
    const auto name = xdp_program(ifindex, netdev);
    if (!name) return std::unexpected(name.error());
    if (name->empty()) return {};
    if (*name != kSteerProgram)
        return std::unexpected(
            fmt::format("{} carries the XDP program `{}`, which is not ours: detach it with "
                        "`ip link set dev {} xdp off`",
                        netdev, *name, netdev));
    if (const int error = bpf_xdp_detach(static_cast<int>(ifindex), 0, nullptr))
        return std::unexpected(
            fmt::format("cannot detach the stale XDP program from {}: {}; {}", netdev, words(error), remedy(error)));
    return {};
}

std::expected<DropFilter, std::string> DropFilter::attach(std::uint32_t ifindex, const std::string& netdev) {
    listen_to_libbpf();
    const auto failed = [&](int error) {
        return std::unexpected(fmt::format("cannot drop what the kernel would see or send on {}: {}; {}", netdev,
                                           words(error), remedy(error)));
    };
    const auto object = load_drop();
    if (!object) return failed(object.error());
    auto both = hook(ifindex, BPF_TC_INGRESS | BPF_TC_EGRESS);
    const int created = bpf_tc_hook_create(&both);
    if (created != 0 && created != -EEXIST) return failed(created);
    const bool ours = created == 0 || stands(ifindex, kOnOurClsact);
    DropFilter filter(ifindex, netdev, ours ? kOnOurClsact : kOnForeignClsact);
    const auto* program = bpf_object__find_program_by_name(object->get(), kDropProgram.data());
    for (const int where : {BPF_TC_INGRESS, BPF_TC_EGRESS}) {
        const auto h = hook(ifindex, where);
        auto o = options(filter.handle_);
        o.prog_fd = bpf_program__fd(program);
        o.flags = BPF_TC_F_REPLACE;
        if (const int error = bpf_tc_attach(&h, &o)) {
            (void)filter.detach();
            return failed(error);
        }
    }
    take_bpf_message();  // an existing clsact is worth a warning to libbpf only
    return filter;
}

std::expected<void, std::string> DropFilter::detach() {
    int first = 0;
    for (const int where : {BPF_TC_INGRESS, BPF_TC_EGRESS}) {
        const auto h = hook(ifindex_, where);
        const auto o = options(handle_);
        const int error = bpf_tc_detach(&h, &o);
        if (error != 0 && error != -ENOENT && error != -ENODEV && first == 0) first = error;
    }
    auto both = hook(ifindex_, BPF_TC_INGRESS | BPF_TC_EGRESS);
    if (handle_ == kOnOurClsact) (void)bpf_tc_hook_destroy(&both);
    take_bpf_message();
    if (first != 0)
        return std::unexpected(
            fmt::format("cannot take the drop off {}: {}; remove it with `tc qdisc del dev {} clsact`", netdev_,
                        words(first), netdev_));
    return {};
}

}  // namespace dataplane
