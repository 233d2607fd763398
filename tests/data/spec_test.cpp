#include "data/spec.h"

#include <gmock/gmock.h>

#include "data/error_message.h"
#include "data/temp_folder.h"

namespace bitplan::data {
namespace {

using test::ErrorMessage;
using testing::AllOf;
using testing::HasSubstr;

std::string SpecMessage(std::string_view text) {
  return ErrorMessage([&] { ParseSpec(text); });
}

TEST(Spec, TakesKindFileAndLabelsApart) {
  const Spec spec = ParseSpec("idx:a/images.bin,b/labels.bin");
  EXPECT_EQ(spec.kind, FileKind::Idx);
  EXPECT_EQ(spec.file, "a/images.bin");
  EXPECT_EQ(spec.labels, "b/labels.bin");
  EXPECT_EQ(ParseSpec("cifar10:train.bin").kind, FileKind::Cifar10);
  EXPECT_EQ(ParseSpec("cifar100:train.bin").kind, FileKind::Cifar100);
  EXPECT_EQ(ParseSpec("npy:x").kind, FileKind::Npy);
  EXPECT_EQ(ParseSpec("npz:x").kind, FileKind::Npz);
  EXPECT_EQ(ParseSpec("pt:x").kind, FileKind::Pt);
  EXPECT_EQ(ParseSpec("pt:x").labels, std::nullopt);
  EXPECT_EQ(ParseSpec("safetensors:x").kind, FileKind::Safetensors);
  const Spec tokens = ParseSpec("tokens:x.bin,uint16");
  EXPECT_EQ(tokens.kind, FileKind::Tokens);
  EXPECT_EQ(tokens.file, "x.bin");
  EXPECT_EQ(tokens.type, "uint16");
  EXPECT_EQ(tokens.labels, std::nullopt);
  EXPECT_EQ(ParseSpec("tokens:x.npy").type, std::nullopt);
}

TEST(Spec, TellsTheKindFromTheEnding) {
  for (const auto& [file, kind] :
       {std::pair("x.npy", FileKind::Npy), std::pair("x.npz", FileKind::Npz), std::pair("x.pt", FileKind::Pt),
        std::pair("x.pth", FileKind::Pt), std::pair("x.safetensors", FileKind::Safetensors),
        std::pair("t10k-images-idx3-ubyte", FileKind::Idx), std::pair("train-images-idx3-ubyte.gz", FileKind::Idx),
        std::pair("x.idx", FileKind::Idx), std::pair("./a:b.idx.gz", FileKind::Idx)}) {
    EXPECT_EQ(ParseSpec(file).kind, kind) << file;
    EXPECT_EQ(ParseSpec(file).file, file);
  }
  EXPECT_EQ(ParseSpec("x.npy,y.npy").labels, "y.npy");
}

TEST(Spec, LeavesACommaToTheNameOfAnExistingFile) {
  const test::TempFolder folder;
  const std::string file = folder.Write("a,b.npy", {1});
  EXPECT_EQ(ParseSpec("npy:" + file).file, file);
  EXPECT_EQ(ParseSpec("npy:" + file).labels, std::nullopt);
}

TEST(Spec, ListsTheKindsWhenOneIsUnknown) {
  EXPECT_THAT(SpecMessage("imagenet:x"),
              AllOf(HasSubstr("unknown kind 'imagenet'"), HasSubstr("cifar10:FILE, cifar100:FILE, idx:FILE"),
                    HasSubstr("npy:FILE"), HasSubstr("npz:FILE"), HasSubstr("pt:FILE[,LABELS_FILE]")));
  EXPECT_THAT(SpecMessage("CIFAR10:x"), HasSubstr("unknown kind 'CIFAR10'"));
  EXPECT_THAT(SpecMessage(":x"), HasSubstr("unknown kind ''"));
  EXPECT_THAT(SpecMessage("train.bin"), AllOf(HasSubstr("does not tell what kind"), HasSubstr("cifar10:FILE")));
  EXPECT_THAT(SpecMessage(""), HasSubstr("does not tell what kind"));
}

TEST(Spec, RefusesMissingAndNeedlessFiles) {
  EXPECT_THAT(SpecMessage("npy:"), HasSubstr("give npy:FILE"));
  EXPECT_THAT(SpecMessage("npy:,y.npy"), HasSubstr("names no file"));
  EXPECT_THAT(SpecMessage("npy:x.npy,"), HasSubstr("names no labels file"));
  EXPECT_THAT(SpecMessage("cifar10:a,b"), HasSubstr("cifar10 takes no labels file"));
  EXPECT_THAT(SpecMessage("x.npz,y.npz"), HasSubstr("npz takes no labels file"));
}

}  // namespace
}  // namespace bitplan::data
