// Windows of tokens are what Python's loops over the same numbers say (make_fixtures.py).
#include <gmock/gmock.h>

#include <fstream>

#include "bitplan/data.h"
#include "data/error_message.h"
#include "data/fixtures.h"
#include "data/temp_folder.h"
#include "data/tensor_values.h"
#include "process/memory_limit.h"

namespace bitplan {
namespace {

using test::ErrorMessage;
using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::json;

std::string TokensFixture(const std::string& name) { return test::FixturePath(name).string(); }

DataOptions ContextOf(std::int64_t context) {
  DataOptions options;
  options.context = context;
  return options;
}

std::vector<std::vector<std::int64_t>> RowsOf(const at::Tensor& tensor) {
  std::vector<std::vector<std::int64_t>> rows;
  for (std::int64_t i = 0; i < tensor.size(0); ++i) {
    const at::Tensor row = tensor[i].reshape({-1}).contiguous();
    rows.emplace_back(row.data_ptr<std::int64_t>(), row.data_ptr<std::int64_t>() + row.numel());
  }
  return rows;
}

void ExpectWindows(const std::string& spec, const DataOptions& options, const Json& expected) {
  SCOPED_TRACE(spec + " " + expected.dump());
  const Dataset data = Dataset::Load(spec, options);
  const Batch batch = data.Get(0, data.size());
  ASSERT_EQ(batch.inputs.size(), 1u);
  EXPECT_EQ(Json(RowsOf(batch.inputs[0])), expected.at("inputs"));
  EXPECT_EQ(Json(RowsOf(batch.labels)), expected.at("labels"));
  const Batch last = data.Get({data.size() - 1, 0});
  EXPECT_EQ(Json(RowsOf(last.inputs[0])[0]), expected.at("inputs").back());
  EXPECT_EQ(Json(RowsOf(last.labels)[1]), expected.at("labels").front());
}

TEST(Tokens, OfAStreamAreWindowsAndTheTokensAfter) {
  for (const Json& expected : test::Expected().at("stream.tokens")) {
    const DataOptions options = ContextOf(expected.at("context"));
    ExpectWindows("tokens:" + TokensFixture("stream.tokens") + ",uint16", options, expected);
    ExpectWindows("tokens:" + TokensFixture("stream-tokens.npy"), options, expected);  // big-endian int32
  }
}

TEST(Tokens, OfRowsStayWithinThemAndPaddingIsIgnored) {
  for (const Json& expected : test::Expected().at("rows-tokens.npy").at("windows")) {
    DataOptions options = ContextOf(expected.at("context"));
    options.ignored_labels = {0};
    ExpectWindows("tokens:" + TokensFixture("rows-tokens.npy"), options, expected);
    if (options.context == 4) options.context = 0;  // all but the last
    ExpectWindows("tokens:" + TokensFixture("rows-tokens.npy"), options, expected);
  }
}

TEST(Tokens, AreDrawnByWindow) {
  DataOptions options = ContextOf(3);
  const std::string spec = "tokens:" + TokensFixture("stream.tokens") + ",uint16";
  const Batch all = Dataset::Load(spec, options).Get(0, 4);
  options.samples = 4;
  options.seed = 5;
  const Dataset drawn = Dataset::Load(spec, options);
  const Batch batch = drawn.Get(0, 4);
  for (std::int64_t i = 0; i < 4; ++i) {  // each window keeps its labels
    const at::Tensor same = all.inputs[0].eq(batch.inputs[0][i]).all(1);
    ASSERT_EQ(same.sum().item<std::int64_t>(), 1);
    EXPECT_TRUE(all.labels.index({same})[0].equal(batch.labels[i]));
  }
  EXPECT_EQ(drawn.bytes(), 4 * 3 * 8);  // labels, and nothing of the file
}

std::string TokensMessage(const std::string& spec, const DataOptions& options) {
  return ErrorMessage([&] {
    const Dataset data = Dataset::Load(spec, options);
    data.Get(0, data.size());
  });
}

TEST(Tokens, RefuseWhatHasNoWindows) {
  const std::string stream = TokensFixture("stream.tokens"), rows = TokensFixture("rows-tokens.npy");
  EXPECT_THAT(TokensMessage("tokens:" + stream + ",uint16", {}), AllOf(HasSubstr(stream), HasSubstr("--context")));
  EXPECT_THAT(TokensMessage("tokens:" + stream + ",uint16", ContextOf(13)), HasSubstr("too few for a window of 13"));
  EXPECT_THAT(TokensMessage("tokens:" + rows, ContextOf(5)), HasSubstr("has rows of 5 tokens (shape [2, 2, 5])"));
  EXPECT_THAT(TokensMessage("tokens:" + stream + ",uint16", ContextOf(-1)), HasSubstr("context is -1"));
  EXPECT_THAT(TokensMessage("npy:" + rows, ContextOf(2)), HasSubstr("a context is of tokens:FILE"));
}

TEST(Tokens, RefuseOtherFilesAndTypes) {
  const std::string stream = TokensFixture("stream.tokens");
  EXPECT_THAT(TokensMessage("tokens:" + stream, ContextOf(2)), HasSubstr("give the type of its numbers"));
  EXPECT_THAT(TokensMessage("tokens:" + stream + ",float32", ContextOf(2)), HasSubstr("'float32' is no type"));
  EXPECT_THAT(TokensMessage("tokens:" + stream + ",int32", ContextOf(2)), HasSubstr("the last int32 is cut off"));
  EXPECT_THAT(TokensMessage("tokens:" + TokensFixture("rows-tokens.npy") + ",int16", ContextOf(2)),
              HasSubstr("leave ,int16 out"));
  EXPECT_THAT(TokensMessage("tokens:" + TokensFixture("f4-little.npy"), ContextOf(2)), HasSubstr("type float32"));
  EXPECT_THAT(TokensMessage("tokens:" + TokensFixture("bool-little.npy"), ContextOf(2)), HasSubstr("type bool"));
  EXPECT_THAT(TokensMessage("tokens:" + TokensFixture("no-such.npy"), ContextOf(2)),
              HasSubstr("there is no such file"));
  EXPECT_THAT(TokensMessage("tokens:" + TokensFixture(""), ContextOf(2)), HasSubstr("is not a regular file"));
  DataOptions normalized = ContextOf(2);
  normalized.mean = normalized.std = {0.5};
  EXPECT_THAT(TokensMessage("tokens:" + stream + ",uint16", normalized), HasSubstr("which are not normalized"));
}

TEST(Tokens, BelowZeroAreRefusedUnlessIgnored) {
  const test::TempFolder folder;
  const std::string file = folder.Write("t.bin", {3, 0, 0xFF, 0xFF, 5, 0, 6, 0});  // 3, −1, 5, 6
  EXPECT_THAT(TokensMessage("tokens:" + file + ",int16", ContextOf(3)), HasSubstr("holds the token -1"));
  DataOptions options = ContextOf(3);
  options.ignored_labels = {-1};
  const Batch batch = Dataset::Load("tokens:" + file + ",int16", options).Get(0, 1);
  EXPECT_EQ(RowsOf(batch.inputs[0])[0], (std::vector<std::int64_t>{3, 0, 5}));
  EXPECT_EQ(RowsOf(batch.labels)[0], (std::vector<std::int64_t>{-100, 5, 6}));
}

TEST(Tokens, ChangedSinceAreNotRead) {
  const test::TempFolder folder;
  const std::string file = folder.Write("t.bin", {1, 2, 3, 4, 5, 6});
  const Dataset data = Dataset::Load("tokens:" + file + ",uint8", ContextOf(2));
  folder.Write("t.bin", {1, 2, 3, 4});
  EXPECT_THAT(ErrorMessage([&] { data.Get(0, 1); }), HasSubstr("was changed while it was read"));
}

/// 64 MiB of tokens, a hole in a file: some windows of it take what they take.
TEST(Tokens, OfAFileLargerThanTheMemoryAreRead) {
  const test::TempFolder folder;
  const std::string file = folder.Write("t.bin", {7, 0});
  constexpr std::int64_t kBytes = std::int64_t{64} << 20, kMemory = std::int64_t{1} << 20;
  std::filesystem::resize_file(file, kBytes);
  DataOptions options = ContextOf(128);
  options.memory_bytes = kMemory;
  EXPECT_THROW(Dataset::Load("tokens:" + file + ",uint16", options), process::MemoryShort);
  options.samples = 64;
  const Dataset data = Dataset::Load("tokens:" + file + ",uint16", options);
  EXPECT_EQ(data.Get(0, 64).inputs[0].sizes(), (std::vector<std::int64_t>{64, 128}));
  EXPECT_LT(data.bytes(), kMemory);
}

}  // namespace
}  // namespace bitplan
