// SPDX-License-Identifier: Apache-2.0
#include "shared/terminal/vterm_adapter.h"

#include "shared/terminal/sgr.h"

#include <algorithm>
#include <string>

namespace sallyport {

namespace {

// Combining characters without end make libvterm double a buffer; a new VTerm forgets it.
constexpr size_t kRebuildBytes = 64 * 1024;

using Drawing = VtermAdapter::Drawing;

Drawing& drawing_of(void* user) {
  return *static_cast<Drawing*>(user);
}

CellRect to_rect(const VTermRect& r) {
  return {r.start_row, r.start_col, r.end_row, r.end_col};
}

Color to_color(const VTermColor& color) {
  if (VTERM_COLOR_IS_DEFAULT_FG(&color) || VTERM_COLOR_IS_DEFAULT_BG(&color)) {
    return {};
  }
  if (VTERM_COLOR_IS_INDEXED(&color)) {
    return Color::indexed(color.indexed.idx);
  }
  return Color::rgb(color.rgb.red, color.rgb.green, color.rgb.blue);
}

int on_glyph(VTermGlyphInfo* info, VTermPos pos, void* user) noexcept {
  Drawing& d = drawing_of(user);
  if (d.muted) {
    return 1;
  }
  if (d.wrap_row >= 0 && pos.col == 0 && (pos.row == d.wrap_row + 1 || pos.row == d.wrap_row)) {
    d.grid.set_wrapped(pos.row - 1, true);
  }
  // A wide character that does not fit leaves the last column free.
  d.wrap_row = pos.col + info->width >= d.grid.columns() - 1 ? pos.row : -1;
  d.grid.put(pos.row, pos.col, info->width, info->chars, d.pen);
  return 1;
}

int on_cursor(VTermPos pos, VTermPos, int, void* user) noexcept {
  Drawing& d = drawing_of(user);
  d.cursor.row = pos.row;
  d.cursor.column = pos.col;
  // After text that fills a row the cursor rests on its last column; anywhere else is a real move.
  if (pos.row != d.wrap_row || pos.col < d.grid.columns() - 1) {
    d.wrap_row = -1;
  }
  return 1;
}

int on_scroll(VTermRect rect, int downward, int rightward, void* user) noexcept {
  Drawing& d = drawing_of(user);
  if (!d.muted) {
    d.grid.scroll(to_rect(rect), downward, rightward, d.pen);
  }
  return 1;
}

int on_erase(VTermRect rect, int, void* user) noexcept {
  Drawing& d = drawing_of(user);
  if (!d.muted) {
    d.grid.erase(to_rect(rect), d.pen);
  }
  return 1;
}

int on_init_pen(void* user) noexcept {
  drawing_of(user).pen = {};
  return 1;
}

void set_attribute(Style& pen, uint8_t bit, bool on) {
  pen.attributes = static_cast<uint8_t>(on ? pen.attributes | bit : pen.attributes & ~bit);
}

int on_pen(VTermAttr attr, VTermValue* value, void* user) noexcept {
  Style& pen = drawing_of(user).pen;
  switch (attr) {
    case VTERM_ATTR_BOLD:
      set_attribute(pen, attribute::kBold, value->boolean != 0);
      break;
    case VTERM_ATTR_UNDERLINE:
      set_attribute(pen, attribute::kUnderline, value->number != 0);
      break;
    case VTERM_ATTR_ITALIC:
      set_attribute(pen, attribute::kItalic, value->boolean != 0);
      break;
    case VTERM_ATTR_BLINK:
      set_attribute(pen, attribute::kBlink, value->boolean != 0);
      break;
    case VTERM_ATTR_REVERSE:
      set_attribute(pen, attribute::kReverse, value->boolean != 0);
      break;
    case VTERM_ATTR_STRIKE:
      set_attribute(pen, attribute::kStrike, value->boolean != 0);
      break;
    case VTERM_ATTR_FONT:
      set_attribute(pen, attribute::kFaint, value->number == kFaintFont);
      break;
    case VTERM_ATTR_FOREGROUND:
      pen.foreground = to_color(value->color);
      break;
    case VTERM_ATTR_BACKGROUND:
      pen.background = to_color(value->color);
      break;
    default:
      break;
  }
  return 1;
}

int on_property(VTermProp property, VTermValue* value, void* user) noexcept {
  Drawing& d = drawing_of(user);
  const bool on = value->boolean != 0;
  if (property == VTERM_PROP_CURSORVISIBLE) {
    d.cursor.visible = on;
  } else if (property == VTERM_PROP_REVERSE) {
    d.reversed = on;
  } else if (property == VTERM_PROP_ALTSCREEN && !d.muted) {
    d.grid.switch_screen(on);
  }
  return 1;
}

// Double width and height are not drawn: every row keeps its full width.
int on_line_info(int, const VTermLineInfo*, const VTermLineInfo*, void*) noexcept {
  return 0;
}

void on_output(const char*, size_t, void*) noexcept {}

void* arena_malloc(size_t size, void* arena) noexcept {
  return static_cast<VtermArena*>(arena)->take(size);
}
void arena_free(void*, void*) noexcept {}
VTermAllocatorFunctions arena_functions = {arena_malloc, arena_free};

VTermStateCallbacks make_callbacks() {
  VTermStateCallbacks callbacks{};  // members that only one version has stay null
  callbacks.putglyph = on_glyph;
  callbacks.movecursor = on_cursor;
  callbacks.scrollrect = on_scroll;
  callbacks.erase = on_erase;
  callbacks.initpen = on_init_pen;
  callbacks.setpenattr = on_pen;
  callbacks.settermprop = on_property;
  callbacks.setlineinfo = on_line_info;
  return callbacks;
}
const VTermStateCallbacks kCallbacks = make_callbacks();

std::string position(int row, int column) {
  return "\x1b[" + std::to_string(row + 1) + ";" + std::to_string(column + 1) + "H";
}

std::string color_sgr(int base, Color color) {
  const std::string first = ";" + std::to_string(base) + ";";
  switch (color.kind()) {
    case Color::Kind::indexed:
      return first + "5;" + std::to_string(color.index());
    case Color::Kind::rgb:
      return first + "2;" + std::to_string(color.red()) + ";" + std::to_string(color.green()) +
             ";" + std::to_string(color.blue());
    default:
      return "";
  }
}

// The SGR sequences that make this pen from any other.
std::string pen_sequences(const Style& pen) {
  static constexpr struct {
    uint8_t bit;
    const char* sgr;
  } kAttributes[] = {
      {attribute::kBold, ";1"},      {attribute::kFaint, ";11"}, {attribute::kItalic, ";3"},
      {attribute::kUnderline, ";4"}, {attribute::kBlink, ";5"},  {attribute::kReverse, ";7"},
      {attribute::kStrike, ";9"},
  };
  std::string text = "\x1b[0";
  for (const auto& entry : kAttributes) {
    text += (pen.attributes & entry.bit) != 0 ? entry.sgr : "";
  }
  text += "m";
  for (const std::string& color : {color_sgr(38, pen.foreground), color_sgr(48, pen.background)}) {
    text += color.empty() ? "" : "\x1b[" + color.substr(1) + "m";
  }
  return text;
}

}  // namespace

VtermAdapter::VtermAdapter(int columns, int rows) : drawing_{Grid(columns, rows), {}, {}} {
  create();
}

void VtermAdapter::create() {
  arena_.clear();
  vterm_ = vterm_new_with_allocator(drawing_.grid.rows(), drawing_.grid.columns(), &arena_functions,
                                    &arena_);
  vterm_set_utf8(vterm_, 1);
  vterm_output_set_callback(vterm_, on_output, nullptr);
  VTermState* state = vterm_obtain_state(vterm_);
  vterm_state_set_callbacks(state, &kCallbacks, &drawing_);
  // Index 8 to 15 are asked for by the program, never made from bold.
  vterm_state_set_bold_highbright(state, 0);
  vterm_state_reset(state, 1);
  drawing_.cursor = {};
  drawing_.reversed = false;
  send(
      "\x1b"
      "7");  // what was never saved would come back as black on black
}

void VtermAdapter::send(std::string_view text) {
  vterm_input_write(vterm_, text.data(), text.size());
}

CursorState VtermAdapter::place() const {
  VTermPos pos{};
  vterm_state_get_cursorpos(vterm_obtain_state(vterm_), &pos);
  return {pos.row, pos.col, drawing_.cursor.visible};
}

void VtermAdapter::write(std::string_view safe, const TerminalModes& modes) {
  send(safe);
  if (arena_.used() > kRebuildBytes) {
    rebuild(drawing_.grid.columns(), drawing_.grid.rows(), modes);
  }
}

void VtermAdapter::resize(int columns, int rows, const TerminalModes& modes) {
  columns = std::clamp(columns, kMinColumns, kMaxColumns);
  rows = std::clamp(rows, kMinRows, kMaxRows);
  if (columns != drawing_.grid.columns() || rows != drawing_.grid.rows()) {
    rebuild(columns, rows, modes);
  }
}

// A new VTerm in the state of the old one, but for tab stops, margins and the scroll region, which
// a resize resets anyway.
void VtermAdapter::rebuild(int columns, int rows, const TerminalModes& modes) {
  Drawing& d = drawing_;
  d.muted = true;
  CursorState cursor = place();
  const Style pen = d.pen;
  const bool reversed = d.reversed;
  send(
      "\x1b"
      "8");  // the old VTerm is asked for what it has saved; it goes now
  CursorState saved = place();
  const Style saved_pen = d.pen;

  const int old_row = cursor.row;
  cursor.row = d.grid.resize(columns, rows, cursor.row);
  cursor.column = std::min(cursor.column, columns - 1);
  saved.row = std::clamp(saved.row - (old_row - cursor.row), 0, rows - 1);
  saved.column = std::clamp(saved.column, 0, columns - 1);

  create();
  if (modes.alternate) {
    send("\x1b[?1047h");
  }
  send(pen_sequences(saved_pen) + position(saved.row, saved.column) +
       (saved.visible ? "\x1b[?25h" : "\x1b[?25l") +
       "\x1b"
       "7");
  std::string state = modes.autowrap ? "" : "\x1b[?7l";
  state += modes.origin ? "\x1b[?6h" : "";
  state += modes.insert ? "\x1b[4h" : "";
  state += modes.newline ? "\x1b[20h" : "";
  state += modes.margins ? "\x1b[?69h" : "";
  state += reversed ? "\x1b[?5h" : "";
  state += cursor.visible ? "\x1b[?25h" : "\x1b[?25l";
  send(state);
  send(pen_sequences(pen) + position(cursor.row, cursor.column));
  d.pen = pen;
  d.cursor = {cursor.row, cursor.column, cursor.visible};
  d.wrap_row = -1;
  d.muted = false;
}

void VtermAdapter::reset() {
  drawing_.grid.clear();
  drawing_.pen = {};
  drawing_.wrap_row = -1;
  create();
}

VtermAdapter::Keyframe VtermAdapter::save() const {
  const auto memory = arena_.contents();
  return {drawing_, {memory.begin(), memory.end()}, vterm_};
}

void VtermAdapter::restore(const Keyframe& keyframe) {
  drawing_ = keyframe.drawing;
  arena_.restore(keyframe.memory);
  vterm_ = keyframe.vterm;
}

}  // namespace sallyport
