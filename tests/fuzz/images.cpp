// Any bytes as an image: decoded or refused with an Error, nothing else.
#include <cstdint>
#include <cstdlib>

#include "bitplan/error.h"
#include "decode/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const bitplan::decode::Image image = bitplan::decode::DecodeImage({data, size}, "image");
    const auto pixels = static_cast<std::size_t>(image.size.width * image.size.height);
    if (pixels == 0 || image.rgb.size() != pixels * 3) std::abort();
  } catch (const bitplan::Error&) {  // bad input, said so
  }
  return 0;
}
