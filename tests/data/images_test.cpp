#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "bitplan/data.h"
#include "bitplan/error.h"
#include "image_transform.h"
#include "ppm.h"

namespace bitplan {
namespace {

namespace fs = std::filesystem;

const fs::path kImages = fs::path(BITPLAN_TEST_DIR) / "data" / "images";

/// A folder of two classes, b with two images and a with one, and what the test adds.
class Images : public testing::Test {
 protected:
  void SetUp() override {
    Put("b/2.PNG", "rgb.png");
    Put("b/10.jpg", "plain.jpg");
    Put("a/below/x.webp", "lossless.webp");
    std::ofstream(folder_ / "b" / "notes.txt") << "no image";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Put(const std::string& to, const std::string& image) const {
    fs::create_directories((folder_ / to).parent_path());
    fs::copy_file(kImages / image, folder_ / to);
  }
  void Write(const std::string& to, const std::string& text) const {
    fs::create_directories((folder_ / to).parent_path());
    std::ofstream(folder_ / to) << text;
  }
  std::string spec() const { return "images:" + folder_.string(); }
  std::string Problem(const std::string& spec, const DataOptions& options = {}) const {
    try {
      const Dataset data = Dataset::Load(spec, options);
      data.Get(0, data.size());
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  fs::path folder_ = fs::path(testing::TempDir()) /
                     ("images_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

std::vector<std::int64_t> Labels(const Dataset& data) {
  const at::Tensor labels = data.labels();
  return {labels.const_data_ptr<std::int64_t>(), labels.const_data_ptr<std::int64_t>() + labels.numel()};
}

TEST_F(Images, AreListedAsTorchvisionDoesClassesAndFilesByName) {
  const Dataset data = Dataset::Load(spec(), {});
  EXPECT_THAT(Labels(data), testing::ElementsAre(0, 1, 1));
  const at::Tensor pixels = data.Get(0, 3).inputs.front();
  EXPECT_EQ(pixels.sizes().vec(), (std::vector<std::int64_t>{3, 3, 26, 37}));
  const Ppm png = ReadPpm((kImages / "rgb.png.ppm").string());
  const at::Tensor bytes = (pixels[2] * 255).round().to(at::kByte).permute({1, 2, 0}).contiguous();
  EXPECT_EQ(LargestStep(png.rgb, bytes.const_data_ptr<std::uint8_t>(), png.rgb.size()), 0);
}

TEST_F(Images, LabelsOfAFileAreInItsOrder) {
  Write("labels.txt", "b/2.PNG 7\r\n\na/below/x.webp 3\n");
  EXPECT_THAT(Labels(Dataset::Load(spec() + "," + (folder_ / "labels.txt").string(), {})), testing::ElementsAre(7, 3));
}

TEST_F(Images, StreamedAndHeldOnesAreTheSame) {
  const DataOptions held{.mean = {}, .std = {}, .resize = 20, .crop = 16};
  DataOptions streamed = held;
  streamed.memory_bytes = 1000;
  const Dataset a = Dataset::Load(spec(), held), b = Dataset::Load(spec(), streamed);
  EXPECT_GT(a.bytes(), 2000);
  EXPECT_LT(b.bytes(), 100);
  EXPECT_TRUE(a.Get({2, 0}).inputs.front().equal(b.Get({2, 0}).inputs.front()));
}

TEST_F(Images, BadOnesAreNamedOrSkippedAndCounted) {
  Write("a/bad.jpg", "\xff\xd8\xff no more");
  Write("b/unread.bmp", "BM");
  EXPECT_THAT(Problem(spec()), testing::HasSubstr("a/bad.jpg: the JPEG image cannot be decoded"));
  const Dataset data = Dataset::Load(spec(), {.mean = {}, .std = {}, .skip_bad = true});
  EXPECT_THAT(Labels(data), testing::ElementsAre(0, 1, 1));
  EXPECT_THAT(data.skipped(),
              testing::ElementsAre(testing::HasSubstr("a/bad.jpg"), testing::HasSubstr("b/unread.bmp")));
  EXPECT_EQ(Dataset::Load(spec(), {.samples = 3, .mean = {}, .std = {}, .skip_bad = true}).size(), 3);
  EXPECT_THAT(Problem(spec(), {.samples = 4, .mean = {}, .std = {}, .skip_bad = true}),
              testing::HasSubstr("3 can be decoded and"));
}

TEST_F(Images, WhatIsWrongWithAFolderIsSaid) {
  EXPECT_THAT(Problem("images:" + (folder_ / "none").string()), testing::HasSubstr("needs a folder"));
  EXPECT_THAT(Problem("images:" + (folder_ / "b").string()), testing::HasSubstr("has no folder, and each class"));
  fs::create_directory(folder_ / "c");
  EXPECT_THAT(Problem(spec()), testing::HasSubstr("c: this class has no image"));
  fs::create_directory_symlink(folder_, folder_ / "c" / "loop");
  EXPECT_THAT(Problem(spec()), testing::HasSubstr("links to a folder that it is in"));
}

TEST_F(Images, OfSeveralSizesNeedACrop) {
  Put("b/tall.png", "tall.png");
  EXPECT_THAT(Problem(spec()), testing::HasSubstr("tall.png: 21 × 40 pixels, where the other images have 37 × 26"));
  EXPECT_EQ(Problem(spec(), {.mean = {}, .std = {}, .resize = 20, .crop = 20}), "");
  EXPECT_THAT(Problem(spec(), {.mean = {}, .std = {}, .crop = -1}), testing::HasSubstr("and crop -1"));
  EXPECT_THAT(Problem(spec(), {.mean = {}, .std = {}, .interpolation = "cubic"}),
              testing::HasSubstr("interpolation is cubic"));
}

TEST_F(Images, MalformedLabelFilesAreNamedWithTheirLine) {
  const std::string file = (folder_ / "labels.txt").string();
  for (const auto& [text, problem] : std::vector<std::pair<std::string, std::string>>{
           {"b/2.PNG 1\nb/10.jpg\n", "line 2: 'b/10.jpg' is not of the form NAME LABEL"},
           {"b/2.PNG cat\n", "line 1: the label 'cat' is not a number"},
           {"b/2.PNG -3\n", "a label is -3"},
           {"../x.png 1\n", "line 1: the name ../x.png leads out of the folder"},
           {"b/2.PNG 1\nb/2.PNG 1\n", "line 2: b/2.PNG stands here a second time"},
           {"b/none.png 1\n", "none.png"},
           {"", "names no image"}}) {
    Write("labels.txt", text);
    EXPECT_THAT(Problem(spec() + "," + file), testing::HasSubstr(problem)) << text;
  }
}

TEST(ImageTransform, IsTorchvisionsToOneStep) {
  int compared = 0;
  for (const auto& entry : fs::directory_iterator(kImages)) {
    const std::string name = entry.path().filename().string();  // NAME.ENDING.INTERPOLATION.RESIZE.CROP.ppm
    if (std::ranges::count(name, '.') != 5) continue;
    std::istringstream parts(name);
    std::string base, ending, interpolation, resize, crop;
    for (std::string* part : {&base, &ending, &interpolation, &resize, &crop}) std::getline(parts, *part, '.');
    const decode::Image image = decode::ReadImage((kImages / (base + "." + ending)).string());
    const at::Tensor pixels = data::Transformed(
        image,
        {.mean = {}, .std = {}, .resize = std::stoll(resize), .crop = std::stoll(crop), .interpolation = interpolation},
        name);
    const Ppm expected = ReadPpm(entry.path());
    ASSERT_EQ(pixels.sizes().vec(), (std::vector<std::int64_t>{3, expected.height, expected.width})) << name;
    const at::Tensor rows = pixels.permute({1, 2, 0}).contiguous();
    EXPECT_LE(LargestStep(expected.rgb, rows.const_data_ptr<std::uint8_t>(), expected.rgb.size()), 1) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 30);
}

}  // namespace
}  // namespace bitplan
