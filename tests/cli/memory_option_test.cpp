// The peak of the tool's resident memory under --memory, on a network and data that take several times as much without.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/types.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace bitplan {
namespace {

namespace fs = std::filesystem;

struct Measured {
  int code = -1;
  std::int64_t peak_mebibytes = 0;
  std::string messages;
};

std::string ReadAll(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class MemoryOption : public testing::Test {
 protected:
  MemoryOption() {
    std::string name = (fs::temp_directory_path() / "bitplan-memory-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    at::manual_seed(3);
  }
  ~MemoryOption() override { fs::remove_all(folder_); }

  /// Runs the tool in the folder with words that have no spaces in them.
  Measured Run(const std::string& arguments) const {
    std::vector<std::string> words{BITPLAN_TOOL};
    std::istringstream text(arguments);
    for (std::string word; text >> word;) words.push_back(word);
    std::vector<char*> values;
    for (std::string& word : words) values.push_back(word.data());
    values.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      if (chdir(folder_.c_str()) == 0 && std::freopen("out", "w", stdout) && std::freopen("err", "w", stderr))
        execv(values[0], values.data());
      _exit(99);
    }
    int status = 0;
    rusage usage{};
    wait4(child, &status, 0, &usage);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, usage.ru_maxrss / 1024, ReadAll(folder_ / "err")};
  }

  void ExpectWithin(std::int64_t mebibytes, const std::string& arguments) const {
    SCOPED_TRACE(arguments);
    const Measured run = Run(arguments + fmt::format(" --memory {}MiB", mebibytes));
    EXPECT_EQ(run.code, 0) << run.messages;
    EXPECT_LE(run.peak_mebibytes, mebibytes);
    fmt::print("{}: {} of {} MiB\n", arguments.substr(0, arguments.find(' ')), run.peak_mebibytes, mebibytes);
  }

  /// Runs into refusals, from so little on, with what they name until it does.
  void ExpectThatWhatIsNamedDoes(const std::string& command, std::int64_t mebibytes) const {
    Measured run = Run(command + fmt::format(" --memory {}MiB", mebibytes));
    EXPECT_EQ(run.code, 2);
    for (int tries = 0; run.code == 2 && tries < 3; ++tries) {
      fmt::print("{}", run.messages);
      EXPECT_LE(run.peak_mebibytes, mebibytes) << run.messages;
      std::smatch named;
      ASSERT_TRUE(std::regex_search(run.messages, named, std::regex("give (at least|more, such as) ([0-9]+)MiB")));
      mebibytes = std::stoll(named[2]);
      run = Run(command + fmt::format(" --memory {}MiB", mebibytes));
    }
    EXPECT_EQ(run.code, 0) << run.messages;
    EXPECT_LE(run.peak_mebibytes, mebibytes);
  }

  /// Three convolutions whose outputs take 1 MiB a sample each, and random images for them: 4 MiB a sample at once.
  void WriteImages(std::int64_t samples) const {
    torch::jit::Module module("Images");
    std::string forward = "def forward(self, x):\n";
    for (int i = 0; i < 3; ++i) {
      const int inputs = i == 0 ? 3 : 16;
      const std::string name = fmt::format("weight{}", i);
      module.register_parameter(name, torch::randn({16, inputs, 3, 3}) * std::sqrt(2.0 / (9 * inputs)), false);
      forward += fmt::format("    x = torch.relu(torch.conv2d(x, self.{}, padding=[1, 1]))\n", name);
    }
    module.register_parameter("head", torch::randn({10, 16}), false);
    module.define(forward + "    return torch.linear(torch.mean(x, [2, 3]), self.head)\n");
    module.save((folder_ / "images.pt").string());
    WriteBytes("images.npy", {samples, 3, 128, 128});
  }

  /// 23 million weights in five layers: 90 MiB, at five widths 560 MiB with their codes.
  void WriteWideLayers() const {
    torch::jit::Module module("Wide");
    module.register_parameter("a", torch::randn({2560, 64}) * 0.1, false);
    module.register_parameter("b", torch::randn({2560, 2560}) * 0.02, false);
    module.register_parameter("c", torch::randn({2560, 2560}) * 0.02, false);
    module.register_parameter("d", torch::randn({2560, 2560}) * 0.02, false);
    module.register_parameter("e", torch::randn({1000, 2560}) * 0.02, false);
    module.define(
        "def forward(self, x):\n    x = torch.relu(torch.linear(x, self.a))\n"
        "    x = torch.relu(torch.linear(x, self.b))\n"
        "    x = torch.relu(torch.linear(x, self.c))\n    x = torch.relu(torch.linear(x, self.d))\n"
        "    return torch.linear(x, self.e)\n");
    module.save((folder_ / "wide.pt").string());
    WriteBytes("wide.npy", {32, 64});
  }

  at::Tensor OutputOf(const std::string& model, const at::Tensor& x) const {
    return torch::jit::load((folder_ / model).string()).forward({x}).toTensor();
  }

  /// Of uint8.
  static std::string NpyHeader(const std::vector<std::int64_t>& shape, const std::string& column_major = "False") {
    std::string header = "{'descr': '|u1', 'fortran_order': " + column_major + ", 'shape': (";
    for (const std::int64_t size : shape) header += fmt::format("{}, ", size);
    header += "), }";
    header.resize((header.size() + 10 + 1 + 63) / 64 * 64 - 10 - 1, ' ');
    header += "\n";
    return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size() & 255) +
           static_cast<char>(header.size() >> 8) + header;
  }

  void WriteZeros(const std::string& name, const std::string& header, std::int64_t bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << header;
    fs::resize_file(folder_ / name, header.size() + static_cast<std::uintmax_t>(bytes));
  }

  /// As torch.save does.
  void WriteTensor(const std::string& name, const at::Tensor& tensor) const {
    const std::vector<char> bytes = torch::jit::pickle_save(c10::IValue(tensor));
    std::ofstream(folder_ / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  void WriteBytes(const std::string& name, const std::vector<std::int64_t>& shape) const {
    std::ofstream out(folder_ / name, std::ios::binary);
    out << NpyHeader(shape);
    const at::Tensor bytes = torch::randint(256, shape, torch::kByte).contiguous();
    out.write(static_cast<const char*>(bytes.const_data_ptr()), bytes.numel());
  }

  fs::path folder_;
};

TEST_F(MemoryOption, IsKeptByEveryCommandThatRunsANetwork) {
  WriteImages(256);
  const std::string widths = " --weight-bits 4 --activation-bits 8", data = " --data images.npy";
  ExpectWithin(512, "calibrate images.pt --out statistics.json" + data);
  ExpectWithin(512, "quantize images.pt --calibration images.npy --out quantized.pt" + widths);
  ExpectWithin(512, "eval images.pt --calibration images.npy" + data + widths);
  ExpectWithin(512, "analyze images.pt --samples 64 --weight-bits 2,4,8 --activation-bits 8,32 --out s.json" + data);
  ExpectWithin(512, "train images.pt --samples 40 --epochs 1 --batch-size 8 --out trained.pt" + data + widths);
  ExpectWithin(512, "run images.pt --samples 64 --test images.npy --budget weight_size=25% --out-dir result" + data);
}

TEST_F(MemoryOption, CountsTheWeightsOfAllWidths) {
  WriteWideLayers();
  ExpectWithin(512, "analyze wide.pt --data wide.npy --weight-calibrator max --out s.json");
}

TEST_F(MemoryOption, WhatARefusalNamesWouldDoDoes) {
  WriteWideLayers();
  ExpectThatWhatIsNamedDoes(
      "analyze wide.pt --data wide.npy --samples 4 --weight-calibrator max --weight-bits 4 --out s.json", 330);
}

/// Whose refusals count what is made before the first pass, and all that is held at once.
TEST_F(MemoryOption, IsKeptWhereWeightsAreMostOfIt) {
  WriteWideLayers();
  ExpectThatWhatIsNamedDoes("eval wide.pt --data wide.npy --calibration wide.npy --weight-bits 8 --activation-bits 8",
                            440);
  ExpectThatWhatIsNamedDoes("train wide.pt --data wide.npy --weight-bits 8 --epochs 1 --batch-size 4 --out t.pt", 420);
}

TEST_F(MemoryOption, AModelFileThatDoesNotFitIsRefusedBeforeItIsRead) {
  WriteWideLayers();
  for (const char* const command :
       {"eval wide.pt --data wide.npy", "inspect wide.pt --input 64", "quantize wide.pt --weight-bits 4 --out q.pt",
        "analyze wide.pt --data wide.npy --out s.json", "spectrum wide.pt --data wide.npy"}) {
    const Measured run = Run(fmt::format("{} --memory 220MiB", command));
    EXPECT_EQ(run.code, 2) << command;
    EXPECT_THAT(run.messages, testing::AllOf(testing::HasSubstr("wide.pt"), testing::HasSubstr("give at least")));
    EXPECT_LT(run.peak_mebibytes, 200) << command;
  }
}

/// The file of weights in float is as large as the network.
TEST_F(MemoryOption, AFileIsWrittenAsItIsMade) {
  WriteWideLayers();
  const std::string floats = "quantize wide.pt --activation-bits 8 --calibration wide.npy --output-correction none";
  ExpectWithin(310, floats + " --out q.pt");
  ExpectWithin(310, floats + " --packed q.safetensors");
}

TEST_F(MemoryOption, CountsTheValuesThatAScaleIsFoundFrom) {
  WriteWideLayers();
  const std::string one_scale = " --weight-bits 4 --weight-granularity tensor ";
  ExpectThatWhatIsNamedDoes("quantize wide.pt --output-correction none --out q.pt" + one_scale, 480);
  ExpectThatWhatIsNamedDoes(
      "analyze wide.pt --data wide.npy --samples 2 --measures weight-error --out s.json" + one_scale, 480);
  ExpectWithin(480, "quantize wide.pt --output-correction none --weight-calibrator max --out q.pt" + one_scale);
}

TEST_F(MemoryOption, LeavesASpectrumWhatItsBasisLeaves) {
  WriteWideLayers();
  ExpectWithin(1100, "spectrum wide.pt --data wide.npy --samples 4 --layers e --probes 1 --steps 24");
}

TEST_F(MemoryOption, DoesNotChangeTheResult) {
  WriteImages(160);
  for (const char* memory : {"448MiB", "640MiB"}) {
    const Measured run = Run(fmt::format(
        "quantize images.pt --calibration images.npy --weight-bits 4 --activation-bits 4 --out {}.pt --memory {}",
        memory, memory));
    ASSERT_EQ(run.code, 0) << run.messages;
  }
  const at::Tensor x = torch::randn({4, 3, 128, 128}), few = OutputOf("448MiB.pt", x), many = OutputOf("640MiB.pt", x);
  EXPECT_LT(((few - many).norm() / many.norm()).item<double>(), 1e-6);
}

/// Files of zeros, which take no room on the disk: 16,000 images, 750 MiB.
TEST_F(MemoryOption, DataNeedNotFit) {
  WriteImages(1);
  const std::int64_t images = 16'000, bytes = images * 3 * 128 * 128;
  WriteZeros("big.npy", NpyHeader({images, 3, 128, 128}), bytes);
  WriteZeros("big.idx", std::string("\0\0\x08\x04\0\0\x3e\x80\0\0\0\x03\0\0\0\x80\0\0\0\x80", 20), bytes);
  WriteZeros("big.bin", "", 250'000 * 3073);
  WriteTensor("big.pt", torch::zeros({6000, 3, 128, 128}, torch::kByte));
  const std::string command = "eval images.pt --weight-bits 4 --output-correction none --samples 4 --data ";
  for (const char* const data : {"big.npy", "idx:big.idx", "cifar10:big.bin", "big.pt"})
    ExpectWithin(320, command + data);
  ExpectWithin(320, "inspect images.pt --data big.npy");
  ExpectWithin(400, "analyze images.pt --weight-bits 4 --activation-bits 32 --samples 8 --out s.json --data big.npy");
  ExpectWithin(400,
               "train images.pt --weight-bits 4 --held-out 0% --epochs 1 --samples 16 --batch-size 8 --out t.pt "
               "--data big.npy");
}

TEST_F(MemoryOption, DataThatCannotBeReadInPiecesIsRefusedBeforeItIsRead) {
  WriteImages(1);
  WriteZeros("columns.npy", NpyHeader({4096, 3, 128, 128}, "True"), std::int64_t{4096} * 3 * 128 * 128);
  const Measured run =
      Run("eval images.pt --weight-bits 4 --output-correction none --data columns.npy --memory 400MiB");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.messages, testing::AllOf(testing::HasSubstr("columns.npy"), testing::HasSubstr("read in pieces"),
                                           testing::HasSubstr("takes 384.0 MiB"), testing::HasSubstr("give at least")));
  EXPECT_LT(run.peak_mebibytes, 220);
  ExpectThatWhatIsNamedDoes("eval images.pt --weight-bits 4 --output-correction none --samples 4 --data columns.npy",
                            400);
}

/// What the first batches are observed for takes more beside them than a pass does.
TEST_F(MemoryOption, IsKeptByATrainingThatIsRefused) {
  WriteImages(128);
  for (const int batch : {24, 64, 128}) {
    const Measured run = Run(fmt::format(
        "train images.pt --data images.npy --weight-bits 4 --activation-bits 8 --batch-size {} --held-out 0% "
        "--epochs 1 --out t.pt --memory 400MiB",
        batch));
    EXPECT_EQ(run.code, 2);
    EXPECT_THAT(run.messages, testing::HasSubstr("a batch size of"));
    EXPECT_LE(run.peak_mebibytes, 400) << batch;
  }
}

TEST_F(MemoryOption, TooLittleIsRefusedWithTheLeastThatWouldDo) {
  WriteImages(8);
  const Measured none = Run("eval images.pt --data images.npy --memory 100MiB");
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.messages, testing::HasSubstr("give at least"));
  const Measured few =
      Run("train images.pt --data images.npy --weight-bits 4 --batch-size 7 --held-out 0% --epochs 1 "
          "--out t.pt --memory 210MiB");
  EXPECT_EQ(few.code, 2);
  EXPECT_THAT(few.messages,
              testing::AnyOf(testing::HasSubstr("a batch size of"), testing::HasSubstr("one sample takes")));
}

}  // namespace
}  // namespace bitplan
