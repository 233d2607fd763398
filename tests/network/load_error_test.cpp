#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "bitplan/error.h"
#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using testing::HasSubstr;

std::string ReadBytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Writes files into a folder of its own, which goes with it.
class LoadError : public testing::Test {
 protected:
  LoadError()
      : folder_(std::filesystem::path(testing::TempDir()) / ("load_error_" + std::to_string(std::random_device{}()))) {
    std::filesystem::create_directories(folder_);
  }
  ~LoadError() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& bytes) const {
    const std::filesystem::path file = folder_ / "model.pt";
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }

  static std::string Message(const std::filesystem::path& file, const NetworkOptions& options = {}) {
    return MessageOf([&] { Network::Load(file, options); });
  }

  std::filesystem::path folder_;
};

TEST_F(LoadError, NamesAFileThatIsMissing) {
  const std::string message = Message(folder_ / "no_such_model.pt");
  EXPECT_TRUE(IsOneLine(message)) << message;
  EXPECT_THAT(message, HasSubstr("no_such_model.pt"));
}

TEST_F(LoadError, RefusesAFolder) { EXPECT_TRUE(IsOneLine(Message(folder_))) << Message(folder_); }

TEST_F(LoadError, RefusesATruncatedFile) {
  for (const std::string name : {"mlp.scripted.pt", "small_resnet.frozen.pt"}) {
    const std::string whole = ReadBytes(ModelPath(name));
    for (const std::size_t size : {std::size_t{1}, std::size_t{4}, std::size_t{100}, whole.size() / 4, whole.size() / 2,
                                   whole.size() * 9 / 10, whole.size() - 100, whole.size() - 22, whole.size() - 1}) {
      const std::string message = Message(Write(whole.substr(0, size)));
      EXPECT_TRUE(IsOneLine(message)) << size << " bytes: " << message;
      EXPECT_THAT(message, HasSubstr("model.pt"));
    }
  }
}

TEST_F(LoadError, RefusesWhatIsNoTorchScriptFile) {
  std::mt19937 random(7);
  std::string noise(5000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  for (const std::string& bytes : {std::string(), std::string("\n"), std::string("{\"schema\": 1}"), noise}) {
    const std::string message = Message(Write(bytes));
    EXPECT_TRUE(IsOneLine(message)) << message;
    EXPECT_THAT(message, HasSubstr("model.pt"));
  }
  for (const std::string file :
       {"refused_state_dict.pt", "refused_pickled_module.pt", "refused_pickle.pt", "refused_zip.pt", "mlp.json"}) {
    const std::string message = Message(ModelPath(file));
    EXPECT_TRUE(IsOneLine(message)) << message;
    EXPECT_THAT(message, HasSubstr(file));
    EXPECT_THAT(message, HasSubstr("TorchScript"));
  }
}

TEST_F(LoadError, NeverCrashesOnDamagedBytes) {
  std::mt19937 random(11);
  for (const std::string name : {"mlp.scripted.pt", "lstm.frozen.pt"}) {
    const std::string whole = ReadBytes(ModelPath(name));
    for (int round = 0; round < 15; ++round) {
      std::string damaged = whole;
      for (int flips = 0; flips < 1 + round % 4; ++flips)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      const std::filesystem::path file = Write(damaged);
      try {
        const Network network = Network::Load(file);
        network.Forward({at::zeros({1, 4})});
      } catch (const Error& error) {
        EXPECT_TRUE(IsOneLine(error.what())) << error.what();
      }
    }
  }
}

TEST_F(LoadError, NamesTheParameterThatHoldsNoNumber) {
  const nlohmann::json refused = nlohmann::json::parse(ReadBytes(ModelPath("refused.json")));
  ASSERT_EQ(refused.size(), 8u);
  for (const auto& [file, parameter] : refused.items()) {
    for (const bool fold : {false, true}) {
      NetworkOptions options;
      options.fold_batch_norm = fold;
      const std::string message = Message(ModelPath(file), options);
      EXPECT_TRUE(IsOneLine(message)) << file << ": " << message;
      EXPECT_THAT(message, HasSubstr("'" + parameter.get<std::string>() + "'")) << file;
      EXPECT_THAT(message, HasSubstr(file));
    }
  }
}

TEST_F(LoadError, NamesAnInputThatIsNoTensor) {
  const std::string message = Message(ModelPath("refused_number_input.pt"));
  EXPECT_TRUE(IsOneLine(message)) << message;
  EXPECT_THAT(message, HasSubstr("'repetitions'"));
}

TEST_F(LoadError, NamesADeviceThatCannotBeUsed) {
  for (const std::string device : {"gpu", "", "cpu:x", "cuda:99", "-"}) {
    NetworkOptions options;
    options.device = device;
    const std::string message = Message(ModelPath("mlp.scripted.pt"), options);
    EXPECT_TRUE(IsOneLine(message)) << device << ": " << message;
    EXPECT_THAT(message, HasSubstr("'" + device + "'"));
  }
}

}  // namespace
}  // namespace bitplan::test
