// Any octets as a frame, and any tags a SecY may stand behind: has_tags() says what reading the frame tag by tag says,
// looks at nothing behind the frame's end, and finds what write_tags() wrote; read_tags() reads what stands there.
//
//   octet 0: bits 0-1 tags (3: 2), bits 2-3 their TPIDs, bit 4 take the tags from the frame
//   octets 1-4: their VIDs; the rest: the frame
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dataplane/net/ethernet.h"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

std::uint16_t number_at(const std::vector<std::uint8_t>& octets, std::size_t at) {
    return static_cast<std::uint16_t>(octets.at(at) * 256u + octets.at(at + 1));
}

bool read_tag_by_tag(const std::vector<std::uint8_t>& frame, const net::VlanStack& stack) {
    std::size_t at = 12;
    for (std::size_t i = 0; i < stack.depth; ++i, at += 4) {
        if (at + 4 > frame.size()) return false;
        if (number_at(frame, at) != stack.tags[i].tpid) return false;
        if (number_at(frame, at + 2) % 4096 != stack.tags[i].vid) return false;
    }
    return at + 2 <= frame.size();
}

net::VlanStack stack_of(const std::uint8_t* head) {
    net::VlanStack stack;
    stack.depth = static_cast<std::uint8_t>(std::min(head[0] & 3, 2));
    for (std::size_t i = 0; i < stack.depth; ++i) {
        stack.tags[i].tpid = (head[0] >> (2 + i) & 1) != 0 ? net::kTpidService : net::kTpidCustomer;
        stack.tags[i].vid = static_cast<std::uint16_t>(macsec::load_be16(head + 1 + 2 * i) & 0xFFF);
    }
    return stack;
}

// What read_tags() found is what stands there, and an EtherType that is no tag follows; what it refuses, it may.
void judge_reading(const std::vector<std::uint8_t>& frame, std::size_t at) {
    const auto read = net::read_tags(frame.data(), frame.size(), at);
    std::size_t tags = 0, depth = 0;
    bool reserved = false;
    for (; at + 2 <= frame.size() && net::is_tpid(number_at(frame, at)) && at + 4 <= frame.size(); at += 4, ++tags) {
        const unsigned vid = number_at(frame, at + 2) % 4096u;
        reserved = reserved || vid == 4095;
        if (!read || vid == 0) continue;
        require(read->stack.tags.at(depth).tpid == number_at(frame, at) && read->stack.tags.at(depth).vid == vid);
        ++depth;
    }
    const bool whole = at + 2 <= frame.size() && !net::is_tpid(number_at(frame, at));
    require(read.has_value() == (whole && tags <= 2 && !reserved));
    if (read) require(read->octets == 4 * tags && read->stack.depth == depth);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 5 || size > 4096) return 0;
    const std::vector<std::uint8_t> frame(data + 5, data + size);  // of its own, so that a look behind it is seen
    net::VlanStack stack = stack_of(data);
    for (std::size_t i = 0; (data[0] & 0x10) != 0 && i < stack.depth && frame.size() >= 16 + 4 * i; ++i)
        stack.tags[i] = {number_at(frame, 12 + 4 * i), static_cast<std::uint16_t>(number_at(frame, 14 + 4 * i) % 4096)};
    require(net::has_tags(frame.data(), frame.size(), stack) == read_tag_by_tag(frame, stack));

    if (frame.size() < 14) return 0;
    for (const std::size_t at : {12u, 16u, 20u})
        if (at + 2 <= frame.size()) judge_reading(frame, at);
    std::vector<std::uint8_t> tagged(frame.size() + stack.octets());
    std::copy(frame.begin(), frame.begin() + 12, tagged.begin());
    const std::uint8_t* behind = net::write_tags(tagged.data() + 12, stack);
    require(behind == tagged.data() + 12 + stack.octets());
    std::copy(frame.begin() + 12, frame.end(), tagged.begin() + 12 + stack.octets());
    require(net::has_tags(tagged.data(), tagged.size(), stack));
    return 0;
}
