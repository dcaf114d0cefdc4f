#include "bgp-glue/netlink_socket.h"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace bgp_glue {

namespace {

constexpr int kReceiveBuffer = 16 << 20;
constexpr std::size_t kLargestDatagram = 256 << 10;  // the kernel fills dumps up to what a read offers, 32 KiB
constexpr int kAnswerMs = 1000;

std::string errno_text(int number) { return std::error_code(number, std::generic_category()).message(); }

void set_option(int fd, int level, int option, int value) { (void)setsockopt(fd, level, option, &value, sizeof value); }

// NLMSG_ERROR: an errno, the request's header, then (NETLINK_EXT_ACK) attributes with the kernel's words.
std::string kernel_words(const NetlinkMessage& message, std::size_t behind) {
    if ((message.flags & NLM_F_ACK_TLVS) == 0 || message.body.size() < behind) return {};
    Attributes walk(message.body.subspan(behind));
    while (const auto a = walk.next())
        if (a->type == NLMSGERR_ATTR_MSG) return std::string(a->text());
    return {};
}

std::expected<void, NetlinkError> acknowledgement(const NetlinkMessage& message) {
    const auto s = split<nlmsgerr>(message.body);
    if (!s) return std::unexpected(NetlinkError{EBADMSG, "a malformed acknowledgement"});
    if (s->header.error == 0) return {};
    const int number = -s->header.error;
    const bool capped = (message.flags & NLM_F_CAPPED) != 0;
    const std::size_t echoed = capped ? sizeof(nlmsghdr) : (std::size_t{s->header.msg.nlmsg_len} + 3) & ~std::size_t{3};
    const auto words = kernel_words(message, sizeof s->header.error + echoed);
    auto text = fmt::format("{}: {}", message_name(s->header.msg.nlmsg_type), errno_text(number));
    if (!words.empty()) text += " (" + words + ")";
    return std::unexpected(NetlinkError{number, std::move(text)});
}

std::uint32_t sequence_of(std::span<const std::uint8_t> request) {
    nlmsghdr header;
    std::memcpy(&header, request.data(), sizeof header);
    return header.nlmsg_seq;
}

}  // namespace

std::expected<NetlinkSocket, std::string> NetlinkSocket::open(std::span<const unsigned> groups) {
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0) return std::unexpected("netlink socket: " + errno_text(errno));
    NetlinkSocket s(fd);
    if (const int size = kReceiveBuffer; setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        set_option(fd, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
    set_option(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    set_option(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return std::unexpected("netlink bind: " + errno_text(errno));
    for (const unsigned group : groups)
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
            return std::unexpected(fmt::format("netlink group {}: {}", group, errno_text(errno)));
    return s;
}

NetlinkSocket::NetlinkSocket(int fd) : fd_(fd), buffer_(kLargestDatagram / sizeof(std::uint64_t)) {}
NetlinkSocket::NetlinkSocket(NetlinkSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), sequence_(other.sequence_), buffer_(std::move(other.buffer_)) {}
NetlinkSocket& NetlinkSocket::operator=(NetlinkSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(sequence_, other.sequence_);
    std::swap(buffer_, other.buffer_);
    return *this;
}
NetlinkSocket::~NetlinkSocket() {
    if (fd_ >= 0) ::close(fd_);
}

int NetlinkSocket::receive_buffer() const {
    int size = 0;
    socklen_t length = sizeof size;
    (void)getsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, &length);
    return size;
}

NetlinkRead NetlinkSocket::read(const OnMessage& on_message, std::size_t most) {
    NetlinkRead result;
    for (std::size_t i = 0; i < most; ++i) {
        const auto datagram = receive();
        if (!datagram && datagram.error() == ENOBUFS) {
            result.overrun = true;
            continue;
        }
        if (!datagram) break;
        for (auto rest = *datagram; !rest.empty();) {
            const auto message = take_message(rest);
            if (!message) {
                ++result.malformed;
                continue;
            }
            ++result.messages;
            result.dump_done |= message->type == NLMSG_DONE;
            result.dump_interrupted |= (message->flags & NLM_F_DUMP_INTR) != 0;
            if (message->type >= NLMSG_MIN_TYPE) on_message(*message);
        }
    }
    return result;
}

std::expected<void, NetlinkError> NetlinkSocket::send(std::span<const std::uint8_t> request) {
    if (::send(fd_, request.data(), request.size(), 0) >= 0) return {};
    return std::unexpected(NetlinkError{errno, "netlink send: " + errno_text(errno)});
}

std::expected<void, NetlinkError> NetlinkSocket::request(std::span<const std::uint8_t> request) {
    return wait_answer(request, false, [](const NetlinkMessage&) {});
}

std::expected<void, NetlinkError> NetlinkSocket::dump(std::span<const std::uint8_t> request,
                                                      const OnMessage& on_message) {
    return wait_answer(request, true, on_message);
}

// Empty: a datagram that did not come from the kernel. Errors are errno; EAGAIN when there is nothing.
std::expected<std::span<const std::uint8_t>, int> NetlinkSocket::receive() {
    sockaddr_nl from{};
    socklen_t length = sizeof from;
    auto* data = reinterpret_cast<std::uint8_t*>(buffer_.data());
    const auto n = ::recvfrom(fd_, data, kLargestDatagram, MSG_TRUNC, reinterpret_cast<sockaddr*>(&from), &length);
    if (n < 0) return std::unexpected(errno);
    if (from.nl_pid != 0 || static_cast<std::size_t>(n) > kLargestDatagram) return std::span<const std::uint8_t>{};
    return std::span<const std::uint8_t>(data, static_cast<std::size_t>(n));
}

std::expected<void, NetlinkError> NetlinkSocket::wait_answer(std::span<const std::uint8_t> request, bool dump,
                                                             const OnMessage& on_message) {
    if (auto sent = send(request); !sent) return sent;
    const std::uint32_t sequence = sequence_of(request);
    for (;;) {
        pollfd p{fd_, POLLIN, 0};
        if (::poll(&p, 1, kAnswerMs) == 0)
            return std::unexpected(NetlinkError{ETIMEDOUT, "netlink: no answer from the kernel"});
        const auto datagram = receive();
        if (!datagram && (datagram.error() == EAGAIN || datagram.error() == EINTR)) continue;
        if (!datagram)
            return std::unexpected(NetlinkError{datagram.error(), "netlink: " + errno_text(datagram.error())});
        for (auto rest = *datagram; !rest.empty();) {
            const auto message = take_message(rest);
            if (!message || message->sequence != sequence) continue;
            if (message->type == NLMSG_ERROR) return acknowledgement(*message);
            if (dump && message->type == NLMSG_DONE) return {};
            if (message->type >= NLMSG_MIN_TYPE) on_message(*message);
        }
    }
}

std::string message_name(std::uint16_t type) {
    switch (type) {
        case RTM_NEWLINK: return "RTM_NEWLINK";
        case RTM_DELLINK: return "RTM_DELLINK";
        case RTM_GETLINK: return "RTM_GETLINK";
        case RTM_NEWADDR: return "RTM_NEWADDR";
        case RTM_DELADDR: return "RTM_DELADDR";
        case RTM_GETADDR: return "RTM_GETADDR";
        case RTM_NEWNEIGH: return "RTM_NEWNEIGH";
        case RTM_DELNEIGH: return "RTM_DELNEIGH";
        case RTM_GETNEIGH: return "RTM_GETNEIGH";
        default: return fmt::format("netlink message {}", type);
    }
}

}  // namespace bgp_glue
