// The frame's path through the cipher:
//   1. prefetch the frame three places ahead (and its key, where it differs)
//   2. one direct call per frame: GCM gains nothing from several buffers at once, and jobs or bursts cost 5-25 ns more
//   3. the ICV goes straight into the frame (seal) or into the side array (open)
#include "macsec/aead.h"

#include <intel-ipsec-mb.h>

#include <utility>

#include "macsec/secret.h"

namespace macsec {
namespace {

static_assert(sizeof(gcm_key_data) <= kSecretSlot && alignof(gcm_key_data) <= 64);

constexpr std::size_t kAhead = 3;  // frames
constexpr std::size_t kLine = 64;  // octets

// Immutable once made; never freed: keys may outlive any order of destruction.
const IMB_MGR* manager() noexcept {
    static const IMB_MGR* const instance = []() -> const IMB_MGR* {
        IMB_MGR* made = alloc_mb_mgr(0);
        if (made == nullptr) return nullptr;
        IMB_ARCH arch = IMB_ARCH_NONE;
        init_mb_mgr_auto(made, &arch);
        return made;
    }();
    return instance;
}

// Inlined by force: GCC 12 takes a function that only prefetches for one without effect and drops its calls.
[[gnu::always_inline]] inline void prefetch(const AeadFrame& now, const AeadFrame& later) noexcept {
    for (std::size_t line = 0; line < 4; ++line) __builtin_prefetch(later.start + line * kLine);
    if (later.key == now.key) return;
    const auto* key = static_cast<const std::uint8_t*>(later.key->expanded());
    for (std::size_t line = 0; line < sizeof(gcm_key_data) / kLine; ++line) __builtin_prefetch(key + line * kLine);
}

}  // namespace

std::expected<AeadKey, std::string> AeadKey::create(CipherSuite suite, ConstOctets sak) {
    if (sak.size() != sak_octets(suite))
        return std::unexpected("a SAK for " + std::string(to_string(suite)) + " has " +
                               std::to_string(sak_octets(suite)) + " octets, not " + std::to_string(sak.size()));
    const IMB_MGR* mgr = manager();
    if (mgr == nullptr || mgr->gcm128_enc == nullptr)
        return std::unexpected("the cipher library cannot start on this CPU; AES-NI and PCLMULQDQ are needed");
    auto slot = take_secret_slot();
    if (!slot) return std::unexpected(std::move(slot.error()));
    auto* expanded = reinterpret_cast<gcm_key_data*>(*slot);
    const bool is_256 = sak.size() == 32;
    if (is_256)
        IMB_AES256_GCM_PRE(mgr, sak.data(), expanded);
    else
        IMB_AES128_GCM_PRE(mgr, sak.data(), expanded);
    clear_vector_registers();
    return AeadKey(expanded, is_256);
}

AeadKey::AeadKey(AeadKey&& other) noexcept
    : expanded_(std::exchange(other.expanded_, nullptr)), is_256_(other.is_256_) {}

AeadKey& AeadKey::operator=(AeadKey&& other) noexcept {
    if (this == &other) return *this;
    return_secret_slot(static_cast<std::uint8_t*>(expanded_));
    expanded_ = std::exchange(other.expanded_, nullptr);
    is_256_ = other.is_256_;
    return *this;
}

AeadKey::~AeadKey() { return_secret_slot(static_cast<std::uint8_t*>(expanded_)); }

void seal(std::span<const AeadFrame> frames) noexcept {
    const IMB_MGR* const mgr = manager();
    gcm_context_data context;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const AeadFrame& f = frames[i];
        if (i + kAhead < frames.size()) prefetch(f, frames[i + kAhead]);
        const auto* key = static_cast<const gcm_key_data*>(f.key->expanded());
        std::uint8_t* const text = f.start + f.aad;
        if (f.key->is_256())
            IMB_AES256_GCM_ENC(mgr, key, &context, text, text, f.text, f.iv.octets(), f.start, f.aad, f.icv(),
                               kIcvOctets);
        else
            IMB_AES128_GCM_ENC(mgr, key, &context, text, text, f.text, f.iv.octets(), f.start, f.aad, f.icv(),
                               kIcvOctets);
    }
}

void open(std::span<const AeadFrame> frames, std::span<Icv> computed) noexcept {
    const IMB_MGR* const mgr = manager();
    gcm_context_data context;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const AeadFrame& f = frames[i];
        if (i + kAhead < frames.size()) prefetch(f, frames[i + kAhead]);
        const auto* key = static_cast<const gcm_key_data*>(f.key->expanded());
        std::uint8_t* const text = f.start + f.aad;
        if (f.key->is_256())
            IMB_AES256_GCM_DEC(mgr, key, &context, text, text, f.text, f.iv.octets(), f.start, f.aad,
                               computed[i].data(), kIcvOctets);
        else
            IMB_AES128_GCM_DEC(mgr, key, &context, text, text, f.text, f.iv.octets(), f.start, f.aad,
                               computed[i].data(), kIcvOctets);
    }
}

}  // namespace macsec
