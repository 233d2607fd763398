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

TEST_F(LoadError, SaysWhatAFileIsThatIsNoTorchScriptAndWhatToDo) {
  const std::filesystem::path folder = std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "foreign";
  const auto expect = [&](const char* file, const char* what, const char* remedy) {
    const std::string message = Message(folder / file);
    EXPECT_TRUE(IsOneLine(message)) << message;
    EXPECT_THAT(message, testing::AllOf(HasSubstr(file), HasSubstr("not a TorchScript file: "), HasSubstr(what),
                                        HasSubstr(remedy)));
  };
  expect("state_dict.pth", "weights without the network", "model.load_state_dict(torch.load(FILE))");
  expect("training_checkpoint.pth", "weights without the network", "of a training checkpoint the entry of the model");
  expect("module.pt", "a module of class __main__.Net, pickled", "torch.load(FILE, weights_only=False).eval()");
  expect("tensor.pt", "tensors by torch.save", "--data pt:FILE");
  expect("before_1_6.pth", "a pickle, as torch.save wrote them before PyTorch 1.6", "torch.load(FILE)");
  expect("weights.safetensors", "safetensors, which hold weights without the network", "load_model(model, FILE)");
}

TEST_F(LoadError, KnowsFilesByTheirFirstBytes) {
  const auto message = [&](const std::string& bytes) { return Message(Write(bytes)); };
  EXPECT_THAT(message("version https://git-lfs.github.com/spec/v1\noid sha256:12\n"), HasSubstr("git lfs pull"));
  EXPECT_THAT(message("\x89HDF\r\n\x1a\n"), HasSubstr("Keras"));
  EXPECT_THAT(message("GGUF\x03"), HasSubstr("GGUF"));
  EXPECT_THAT(message(std::string("\x1c\0\0\0TFL3", 8)), HasSubstr("TensorFlow Lite"));
  EXPECT_THAT(message(std::string("\x1f\x8b\x08\0", 4)), HasSubstr("unpack it first"));
  EXPECT_THAT(message("<!DOCTYPE html>"), HasSubstr("download the file itself"));
  EXPECT_THAT(message("{\"schema\": \"bitplan.plan/1\"}"), HasSubstr("JSON"));
  EXPECT_THAT(message(""), HasSubstr("it is empty"));
}

TEST_F(LoadError, NoticesEveryByteOfAWeightThatWasChanged) {
  const std::string whole = ReadBytes(ModelPath("mlp.scripted.pt"));
  const Network network = Network::Load(ModelPath("mlp.scripted.pt"));
  const at::Tensor weight = network.Weight(network.layers()[0]).contiguous();
  const std::string bytes(static_cast<const char*>(weight.const_data_ptr()), weight.nbytes());
  const std::size_t at = whole.find(bytes);
  ASSERT_NE(at, std::string::npos);
  for (const std::size_t offset : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    std::string damaged = whole;
    damaged[at + offset] = static_cast<char>(damaged[at + offset] ^ 1);
    EXPECT_THAT(Message(Write(damaged)), testing::AllOf(HasSubstr("entry "), HasSubstr("CRC"))) << offset;
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
