#include <random>
#include <type_traits>

#include "config/diff.h"
#include "config/parse.h"
#include "config/print.h"
#include "config/validate.h"
#include "tests/unit/catch.h"

namespace {

// Any model that can be written down, whether it makes sense or not; but the SecYs of a port have different clear tags.
class Any {
public:
    explicit Any(std::uint32_t seed) : random_(seed) {}

    config::Model model() {
        config::Model m;
        m.router = {name(), path(), path(), {}};
        m.workers.idle = word<config::Idle>(2);
        m.workers.cores = list([&] { return number<std::uint32_t>(1023); });
        m.workers.count = flip() && !m.workers.cores.empty() ? static_cast<std::uint32_t>(m.workers.cores.size())
                                                             : number<std::uint32_t>();
        m.memory = {number<std::uint32_t>(), number<std::uint32_t>(), {}};
        m.fib.ipv6_nodes = number<std::uint32_t>();
        m.host = {flip()   ? ""
                  : flip() ? name()
                           : path(),
                  flip() ? "127.0.0.1" : "fd00::1",
                  number<std::uint16_t>(),
                  {},
                  {}};
        m.host.punt_rates.arp_nd = number<std::uint32_t>();
        for (auto& n : list([&] { return name(); })) m.ports[n] = port();
        for (auto& n : list([&] { return name(); }))
            m.interfaces[n] = {name(), tags(), tags(), number<std::uint32_t>(), list([&] { return address(); }), {}};
        if (flip()) m.bgp = bgp();
        for (auto& n : list([&] { return name(); }))
            m.connections[n] = {any64(), any64(), list([&] { return name(); }), {}};
        m.log_level = word<config::LogLevel>(4);
        return m;
    }

private:
    bool flip() { return random_() % 2 == 0; }
    template <class T>
    T number(std::uint64_t max = std::numeric_limits<T>::max()) {
        return static_cast<T>(random_() % (flip() ? max : std::min<std::uint64_t>(max, 20)));
    }
    // Often a round number, for the units.
    std::uint64_t any64() {
        constexpr std::uint64_t kFactors[] = {1, 1000, 1'000'000'000, 60'000, 3'600'000, 86'400'000, 1 << 20, 1 << 10};
        return flip() ? random_() : random_() % 1000 * kFactors[random_() % 8];
    }
    template <class E>
    E word(unsigned n) {
        return static_cast<E>(random_() % n);
    }
    template <class F>
    std::vector<std::invoke_result_t<F>> list(F f) {
        std::vector<std::invoke_result_t<F>> v;
        for (auto n = random_() % 4; n > 0; --n) v.push_back(f());
        return v;
    }
    std::string name() {
        constexpr std::string_view kFirst = "abyznoNY01e", kRest = "abz-_09";
        std::string s(1, kFirst[random_() % kFirst.size()]);
        for (auto n = random_() % 15; n > 0; --n) s += kRest[random_() % kRest.size()];
        return flip() ? s : std::string(flip() ? "no" : flip() ? "null" : flip() ? "1e3" : "true");
    }
    std::string text() {
        std::string s;
        for (auto n = 1 + random_() % 20; n > 0; --n) s += static_cast<char>(0x20 + random_() % 0x5F);
        return s;
    }
    std::string path() { return "/" + text(); }
    net::IpAddress ip() {
        net::IpAddress a;
        a.family = flip() ? net::Family::ipv4 : net::Family::ipv6;
        for (unsigned i = 0; i < a.bits() / 8; ++i) a.octets[i] = number<std::uint8_t>();
        return a;
    }
    net::InterfaceAddress address() {
        const auto a = ip();
        return {a, static_cast<std::uint8_t>(random_() % (a.bits() + 1))};
    }
    net::VlanStack tags() {
        net::VlanStack s;
        s.depth = static_cast<std::uint8_t>(random_() % 3);
        for (std::size_t i = 0; i < s.depth; ++i)
            s.tags[i] = {flip() ? net::kTpidCustomer : number<std::uint16_t>(), number<std::uint16_t>()};
        return s;
    }
    config::StaticSa sa() {
        config::StaticSa s{number<std::uint8_t>(), path(), {}, {}, {}};
        if (flip()) s.ssci = macsec::Ssci{number<std::uint32_t>()};
        if (flip())
            for (auto& o : s.salt.emplace()) o = number<std::uint8_t>();
        return s;
    }
    config::MkaKey mka_key() {
        config::MkaKey k{std::vector<std::uint8_t>(1 + random_() % 32), path(), {}, {}, {}};
        for (auto& o : k.ckn) o = number<std::uint8_t>();
        if (flip()) k.start = static_cast<std::int64_t>(random_() % 253'402'300'799);
        if (flip()) k.end = static_cast<std::int64_t>(random_() % 4'000'000'000);
        return k;
    }
    config::Mka mka() {
        config::Mka k{number<std::uint8_t>(),          any64(), any64(), any64(), flip(), flip(), flip(), flip(),
                      list([&] { return mka_key(); }), {},      {}};
        if (flip()) k.fallback = mka_key();
        return k;
    }
    config::SecY secy() {
        config::SecY s;
        s.policy = word<config::Policy>(2);
        s.cipher_suite = word<macsec::CipherSuite>(4);
        s.sci_form = word<macsec::SciForm>(4);
        s.confidentiality = flip();
        s.confidentiality_offset = number<std::uint8_t>();
        if (flip())
            s.replay_window.reset();
        else
            s.replay_window = number<std::uint32_t>();
        s.port_identifier = number<std::uint16_t>();
        s.eapol_destination = net::MacAddress::from_number(random_());
        s.eapol_ethertype = number<std::uint16_t>();
        if (flip())
            s.static_keys = {sa(),
                             list([&] {
                                 return config::StaticReceiveSc{{random_()}, list([&] { return sa(); }), {}};
                             }),
                             {}};
        if (flip()) s.mka = mka();
        return s;
    }
    config::Port port() {
        auto secys = list([&] { return secy(); });
        for (std::uint16_t i = 0; i < secys.size(); ++i) secys[i].clear_tags = {1, {{{net::kTpidService, i}, {}}}};
        return {word<config::Driver>(3), text(),
                flip() ? "" : text(),    number<std::uint32_t>(),
                number<std::uint32_t>(), number<std::uint32_t>(),
                std::move(secys),        {}};
    }
    config::Bgp bgp() {
        config::Bgp b;
        b.asn = number<std::uint32_t>();
        b.router_id = ip();
        b.hold_ms = any64();
        b.connect_ms = any64();
        b.announce = list([&] { return address().subnet(); });
        b.accept = list([&] { return address().subnet(); });
        b.neighbors = list([&] {
            return config::BgpNeighbor{
                ip(), number<std::uint32_t>(), name(), flip() ? "" : path(), number<std::uint32_t>(), {}};
        });
        return b;
    }

    std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("what is printed is read back as the same model, canonical or resolved") {
    for (std::uint32_t seed = 0; seed < 120; ++seed) {
        const auto m = Any(seed).model();
        for (const auto form : {config::Form::canonical, config::Form::resolved}) {
            const auto text = config::print(m, form);
            const auto again = config::parse(text, "printed");
            if (!again)
                for (const auto& d : again.error()) UNSCOPED_INFO(config::render(d, "printed"));
            INFO("seed " << seed << '\n' << text);
            REQUIRE(again);
            REQUIRE(*again == m);
        }
    }
}

TEST_CASE("any model is judged, and two models are equal exactly when nothing differs between them") {
    for (std::uint32_t seed = 0; seed < 100; ++seed) {
        const auto a = Any(seed).model(), b = Any(seed + 1).model();
        config::validate(a);
        config::warnings(a);
        CHECK(config::diff(a, a).empty());
        CHECK((a == b) == config::diff(a, b).empty());
    }
}
