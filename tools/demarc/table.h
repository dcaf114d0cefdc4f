// Tables that fit: when a table is too wide, its wrapping column flows over several lines, then columns leave by
// their `drop` number (highest first, equal ones together), then the widest cells are cut. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/demarc/style.h"

namespace cli {

// A part of a cell that is never broken over two lines. Its text is already escaped.
struct Piece {
    std::string text;
    Tone tone{Tone::plain};
};

// One or more pieces; several are shown with ", " between them, the words of a sentence with " ".
struct Cell {
    Cell(std::string text, Tone tone = Tone::plain) : pieces{{std::move(text), tone}} {}
    Cell(const char* text, Tone tone = Tone::plain) : Cell(std::string(text), tone) {}
    Cell(std::string_view text, Tone tone = Tone::plain) : Cell(std::string(text), tone) {}
    explicit Cell(std::vector<Piece> p) : pieces(std::move(p)) {}
    // Words of `text`, which is already escaped.
    static Cell sentence(std::string_view text, Tone tone = Tone::plain);
    std::vector<Piece> pieces;
    bool commas{true};
};

enum class Align : bool { left, right };

struct Column {
    std::string_view title;
    Align align{Align::left};
    int drop{0};           // 0: stays
    bool wrap{false};      // several pieces may flow over several lines
    std::size_t least{0};  // columns it takes at least, so that the parts of a long table stand below each other
};

using Row = std::vector<Cell>;  // as many cells as columns

struct Table {
    std::vector<Column> columns;
    std::vector<Row> rows{};
    unsigned indent{0};
    bool heading{true};
};

// Lines, each with its newline, none longer than style.width, no trailing spaces.
std::string render(const Table&, const Style&);

}  // namespace cli
