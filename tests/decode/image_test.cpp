#include "decode/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "decode/file.h"
#include "ppm.h"

namespace bitplan::decode {
namespace {

namespace fs = std::filesystem;

const fs::path kImages = fs::path(BITPLAN_TEST_DIR) / "data" / "images";

std::vector<fs::path> Images() {
  std::vector<fs::path> images;
  for (const auto& entry : fs::directory_iterator(kImages))
    if (entry.path().extension() != ".ppm") images.push_back(entry.path());
  return images;
}

std::string Problem(const std::vector<std::uint8_t>& bytes) {
  try {
    DecodeImage(bytes, "some.image");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Image, HasThePixelsOfPillowInEveryColorModel) {
  const std::vector<fs::path> images = Images();
  EXPECT_EQ(images.size(), 27U);
  for (const fs::path& file : images) {
    const Ppm expected = ReadPpm(file.string() + ".ppm");
    const Image image = ReadImage(file.string());
    EXPECT_EQ(image.size.width, expected.width) << file;
    EXPECT_EQ(image.size.height, expected.height) << file;
    EXPECT_LE(LargestStep(expected.rgb, image.rgb.data(), image.rgb.size()), 0) << file;
  }
}

TEST(Image, IsRefusedByNameWhereverItIsCutOff) {
  for (const fs::path& file : Images()) {
    const std::vector<std::uint8_t> bytes = ReadFile(file);
    for (std::size_t size = 0; size + 2 < bytes.size(); size += 1 + size / 40)
      EXPECT_THAT(Problem({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}),
                  testing::HasSubstr("some.image: "))
          << file << " cut to " << size;
  }
}

TEST(Image, IsReadOrRefusedWhateverByteIsWrong) {
  for (const fs::path& file : Images()) {
    std::vector<std::uint8_t> bytes = ReadFile(file);
    for (std::size_t at = 0; at < bytes.size(); at += 1 + at / 60) {
      bytes[at] ^= 0xff;
      const std::string problem = Problem(bytes);
      EXPECT_THAT(problem, testing::AnyOf("", testing::StartsWith("some.image: ")));
      bytes[at] ^= 0xff;
    }
  }
}

TEST(Image, HugeSizesAreRefusedBeforeAnythingIsAllocated) {
  std::vector<std::uint8_t> jpeg = ReadFile(kImages / "plain.jpg");
  for (std::size_t i = 0; i + 8 < jpeg.size(); ++i)
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) std::fill_n(jpeg.begin() + static_cast<std::ptrdiff_t>(i) + 5, 4, 0xfe);
  EXPECT_THAT(Problem(jpeg), testing::HasSubstr("some.image: 65278 × 65278 pixels; an image may have at most"));
}

TEST(Image, OtherFilesAreNamed) {
  EXPECT_EQ(Problem({'B', 'M', 0, 0}),
            "some.image: is an image in BMP, which is not read; save it as PNG (with Pillow: "
            "Image.open(FILE).save(FILE + '.png'))");
  EXPECT_THAT(Problem({'G', 'I', 'F', '8', '9', 'a'}), testing::HasSubstr("an image in GIF"));
  EXPECT_THAT(Problem({'M', 'M', 0, '*'}), testing::HasSubstr("an image in TIFF"));
  EXPECT_THAT(Problem({'P', '6', '\n'}), testing::HasSubstr("an image in PPM"));
  EXPECT_EQ(Problem({'B', 0, 'M', 0}), "some.image: is no image in JPEG, PNG or WebP");
  EXPECT_THROW(ReadImage((kImages / "missing.jpg").string()), Error);
  EXPECT_THROW(ReadImage(kImages.string()), Error);
}

}  // namespace
}  // namespace bitplan::decode
