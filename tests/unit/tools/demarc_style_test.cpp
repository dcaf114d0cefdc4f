#include "tools/demarc/style.h"

#include "tests/unit/catch.h"
#include "tools/demarc/table.h"

using cli::Align;
using cli::Cell;
using cli::ColorChoice;
using cli::Piece;
using cli::Style;
using cli::Table;
using cli::Tone;

TEST_CASE("numbers are grouped by thousands") {
    CHECK(cli::grouped(0) == "0");
    CHECK(cli::grouped(999) == "999");
    CHECK(cli::grouped(1000) == "1,000");
    CHECK(cli::grouped(~std::uint64_t{0}) == "18,446,744,073,709,551,615");
}

TEST_CASE("short numbers keep three digits and never round up to four") {
    CHECK(cli::short_count(99'999) == "99,999");
    CHECK(cli::short_count(100'000) == "100 k");
    CHECK(cli::short_count(999'499) == "999 k");
    CHECK(cli::short_count(999'500) == "1.00 M");
    CHECK(cli::short_count(12'345'678) == "12.3 M");
    CHECK(cli::short_count(~std::uint64_t{0}) == "18.4 E");
    CHECK(cli::short_octets(0) == "0 B");
    CHECK(cli::short_octets(1'234'567) == "1.23 MB");
}

TEST_CASE("durations use two units") {
    CHECK(cli::duration(0.4) == "0 s");
    CHECK(cli::duration(61) == "1 min 1 s");
    CHECK(cli::duration(11'520) == "3 h 12 min");
    CHECK(cli::duration(86'400 * 1000) == "1,000 d 0 h");
    CHECK(cli::duration(-1) == "-");
    CHECK(cli::duration(1.0 / 0.0) == "-");
}

TEST_CASE("what is not printable ASCII is escaped") {
    CHECK(cli::escaped("ch1-1101 ~") == "ch1-1101 ~");
    CHECK(cli::escaped("\x1b[2J\n\x7f\xc2\x9b") == "\\x1b[2J\\x0a\\x7f\\xc2\\x9b");
}

TEST_CASE("colour is for terminals, unless it is asked for or refused") {
    CHECK(cli::wants_color(ColorChoice::automatic, true, nullptr, "xterm"));
    CHECK(cli::wants_color(ColorChoice::automatic, true, "", "xterm"));
    CHECK_FALSE(cli::wants_color(ColorChoice::automatic, true, "1", "xterm"));
    CHECK_FALSE(cli::wants_color(ColorChoice::automatic, true, nullptr, "dumb"));
    CHECK_FALSE(cli::wants_color(ColorChoice::automatic, true, nullptr, nullptr));
    CHECK_FALSE(cli::wants_color(ColorChoice::automatic, false, nullptr, "xterm"));
    CHECK(cli::wants_color(ColorChoice::always, false, "1", nullptr));
    CHECK_FALSE(cli::wants_color(ColorChoice::never, true, nullptr, "xterm"));
    CHECK(cli::paint("x", Tone::bad, {.width = 80, .color = false}) == "x");
    CHECK(cli::paint("x", Tone::bad, {.width = 80, .color = true}) == "\x1b[1;31mx\x1b[0m");
}

TEST_CASE("a table aligns its columns and leaves no space at the end of a line") {
    const Table t{.columns = {{.title = "A"}, {.title = "N", .align = Align::right}, {.title = "B"}},
                  .rows = {{"x", "7", ""}, {"long", "1,000", "b"}}};
    CHECK(cli::render(t, {}) == "A         N  B\nx         7\nlong  1,000  b\n");
}

TEST_CASE("a table that is too wide wraps first, then drops the highest number, then cuts") {
    const std::string wide(30, 'w');
    Table t{.columns = {{.title = "KEEP"},
                        {.title = "FIRST", .drop = 2},
                        {.title = "SECOND", .drop = 1},
                        {.title = "W", .wrap = true}},
            .rows = {{"k", "f", "s", Cell(std::vector<Piece>{{"1111111111"}, {"2222222222"}})}}};
    CHECK(cli::render(t, {.width = 43}) == "KEEP  FIRST  SECOND  W\nk     f      s       1111111111, 2222222222\n");
    CHECK(cli::render(t, {.width = 42}) ==
          "KEEP  FIRST  SECOND  W\nk     f      s       1111111111,\n                     2222222222\n");
    t.rows[0][0] = Cell(wide.substr(0, 14));
    CHECK(cli::render(t, {.width = 40}).find("FIRST") == std::string::npos);
    CHECK(cli::render(t, {.width = 40}).find("SECOND") != std::string::npos);
    t.rows[0][0] = Cell(wide + wide);
    CHECK(cli::render(t, {.width = 40}).find("www...  1111111111,\n") != std::string::npos);
}

TEST_CASE("a wrapped cell gets its width back when a column is dropped") {
    const Table t{.columns = {{.title = "GONE", .drop = 1}, {.title = "W", .wrap = true}},
                  .rows = {{std::string(32, 'g'), Cell(std::vector<Piece>{{"1111111111"}, {"2222222222"}})}}};
    CHECK(cli::render(t, {.width = 40}) == "W\n1111111111, 2222222222\n");
}
