// 1. the natural width of each column
// 2. fit: narrow the wrapping columns, drop columns, cut the widest
// 3. flow each cell into lines, pad, paint
#include "tools/demarc/table.h"

#include <algorithm>
#include <numeric>

namespace cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 4;  // of a cut column

struct Fit {
    std::vector<std::size_t> columns;  // indexes of those shown
    std::vector<std::size_t> widths;   // by index of the table's column
};

std::size_t natural_width(const Cell& cell) {
    const std::size_t joint = cell.commas ? 2 : 1;
    std::size_t width = 0;
    for (const Piece& p : cell.pieces) width += p.text.size() + (&p == &cell.pieces.front() ? 0 : joint);
    return width;
}

// Octets of the comma behind a piece.
std::size_t comma_behind(const Cell& cell, const Piece& piece) {
    return cell.commas && &piece != &cell.pieces.back() ? 1 : 0;
}

// The widest piece, with its comma.
std::size_t wrapped_width(const Cell& cell) {
    std::size_t width = 0;
    for (const Piece& p : cell.pieces) width = std::max(width, p.text.size() + comma_behind(cell, p));
    return width;
}

template <class Measure>
std::size_t column_width(const Table& t, std::size_t column, Measure measure) {
    std::size_t width = std::max(t.columns[column].least, t.heading ? t.columns[column].title.size() : 0);
    for (const Row& row : t.rows) width = std::max(width, measure(row[column]));
    return width;
}

std::size_t total_width(const Table& t, const Fit& fit) {
    std::size_t total = t.indent;
    for (const std::size_t c : fit.columns) total += fit.widths[c];
    return total + (fit.columns.empty() ? 0 : (fit.columns.size() - 1) * kGap);
}

void narrow_wrapping(const Table& t, Fit& fit, std::size_t width) {
    for (const std::size_t c : fit.columns) {
        const std::size_t total = total_width(t, fit);
        if (total <= width || !t.columns[c].wrap) continue;
        const std::size_t least = std::min(fit.widths[c], column_width(t, c, wrapped_width));
        const std::size_t excess = total - width;
        fit.widths[c] = std::max(least, fit.widths[c] > excess ? fit.widths[c] - excess : 0);
    }
}

void restore_wrapping(const Table& t, Fit& fit) {
    for (const std::size_t c : fit.columns)
        if (t.columns[c].wrap) fit.widths[c] = column_width(t, c, natural_width);
}

bool drop_some(const Table& t, Fit& fit) {
    int highest = 0;
    for (const std::size_t c : fit.columns) highest = std::max(highest, t.columns[c].drop);
    if (highest == 0) return false;
    std::erase_if(fit.columns, [&](std::size_t c) { return t.columns[c].drop == highest; });
    return true;
}

void cut_widest(const Table& t, Fit& fit, std::size_t width) {
    for (std::size_t total = total_width(t, fit); total > width; total = total_width(t, fit)) {
        std::size_t& widest = *std::max_element(fit.widths.begin(), fit.widths.end());
        if (widest <= kNarrowest) return;
        --widest;
    }
}

Fit fit_columns(const Table& t, std::size_t width) {
    Fit fit;
    fit.columns.resize(t.columns.size());
    std::iota(fit.columns.begin(), fit.columns.end(), std::size_t{0});
    for (std::size_t c = 0; c < t.columns.size(); ++c) fit.widths.push_back(column_width(t, c, natural_width));
    narrow_wrapping(t, fit, width);
    while (total_width(t, fit) > width && drop_some(t, fit)) {
        restore_wrapping(t, fit);
        narrow_wrapping(t, fit, width);
    }
    for (std::size_t c = 0; c < fit.widths.size(); ++c)
        if (std::find(fit.columns.begin(), fit.columns.end(), c) == fit.columns.end()) fit.widths[c] = 0;
    cut_widest(t, fit, width);
    return fit;
}

std::string cut(const std::string& text, std::size_t width) {
    if (text.size() <= width) return text;
    return width < 4 ? text.substr(0, width) : text.substr(0, width - 3) + "...";
}

using Line = std::vector<Piece>;  // what stands beside each other in one line of a cell

// Commas are part of the pieces from here on.
std::vector<Line> flow(const Cell& cell, std::size_t width) {
    std::vector<Line> lines(1);
    std::size_t used = 0;
    for (const Piece& whole : cell.pieces) {
        const std::size_t comma = comma_behind(cell, whole);
        Piece piece{cut(whole.text, width - comma), whole.tone};
        const std::size_t needs = piece.text.size() + comma;
        if (used > 0 && used + 1 + needs > width) {
            lines.emplace_back();
            used = 0;
        } else if (used > 0) {
            lines.back().push_back({" "});
            ++used;
        }
        used += needs;
        lines.back().push_back(std::move(piece));
        if (comma > 0) lines.back().push_back({","});
    }
    return lines;
}

void append_padded(std::string& out, std::size_t& owed, const Line& line, std::size_t width, Align align,
                   const Style& style) {
    std::size_t size = 0;
    for (const Piece& p : line) size += p.text.size();
    const std::size_t padding = width > size ? width - size : 0;
    if (align == Align::right) owed += padding;
    if (size > 0) {
        out.append(owed, ' ');  // spaces are only written before something visible
        owed = 0;
    }
    for (const Piece& p : line) out += paint(p.text, p.tone, style);
    if (align == Align::left) owed += padding;
    owed += kGap;
}

void append_row(std::string& out, const Table& t, const Fit& fit, const Row& row, const Style& style) {
    std::vector<std::vector<Line>> cells;
    std::size_t height = 1;
    for (const std::size_t c : fit.columns) {
        cells.push_back(flow(row[c], fit.widths[c]));
        height = std::max(height, cells.back().size());
    }
    for (std::size_t y = 0; y < height; ++y) {
        std::size_t owed = t.indent;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::size_t c = fit.columns[i];
            append_padded(out, owed, y < cells[i].size() ? cells[i][y] : Line{}, fit.widths[c], t.columns[c].align,
                          style);
        }
        out += '\n';
    }
}

}  // namespace

Cell Cell::sentence(std::string_view text, Tone tone) {
    std::vector<Piece> words;
    for (std::size_t end; !text.empty(); text.remove_prefix(std::min(end + 1, text.size()))) {
        end = std::min(text.find(' '), text.size());
        if (end > 0) words.push_back({std::string(text.substr(0, end)), tone});
    }
    if (words.empty()) words.push_back({"", tone});
    Cell cell(std::move(words));
    cell.commas = false;
    return cell;
}

std::string render(const Table& t, const Style& style) {
    const Fit fit = fit_columns(t, std::clamp(style.width, kMinWidth, kMaxWidth));
    std::string out;
    if (t.heading) {
        Row titles;
        for (const Column& c : t.columns) titles.emplace_back(c.title, Tone::dim);
        append_row(out, t, fit, titles, style);
    }
    for (const Row& row : t.rows) append_row(out, t, fit, row, style);
    return out;
}

}  // namespace cli
