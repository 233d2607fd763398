#include "token_windows.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "checked_samples.h"
#include "decode/array.h"

namespace bitplan::data {

TokenWindows::TokenWindows(const std::vector<std::int64_t>& shape, std::int64_t context, const std::string& where)
    : context_(context) {
  CheckSampleShape(shape, where);
  row_ = shape.back();
  for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis) rows_ *= shape[axis];
  if (context_ == 0 && shape.size() == 1)
    throw Error(fmt::format("{}: is one stream of {} tokens; give the context, the tokens of a window (--context)",
                            where, decode::Grouped(static_cast<std::uint64_t>(row_))));
  if (context_ == 0) context_ = row_ - 1;
  in_row_ = context_ == 0 ? 0 : (row_ - 1) / context_;
  if (in_row_ > 0) return;
  throw Error(fmt::format("{}: has rows of {} tokens (shape {}), too few for a window of {} and the token after it",
                          where, row_, decode::ShapeText(shape), context_ == 0 ? 1 : context_));
}

std::int64_t TokenWindows::First(std::int64_t window) const {
  return window / in_row_ * row_ + window % in_row_ * context_;
}

}  // namespace bitplan::data
