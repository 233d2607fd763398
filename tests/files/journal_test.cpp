#include "files/journal.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "files/temporary_folder.h"
#include "message_of.h"

namespace bitplan::files {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class JournalFile : public ::testing::Test {
 protected:
  std::string Refusal(const JournalSubject& subject) const {
    try {
      const Journal journal(file_, subject);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  /// The file as it is now, with `bytes` in its place.
  void Put(const std::string& bytes) const { std::ofstream(file_, std::ios::binary) << bytes; }

  const TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "journal";
  const JournalSubject subject_ = {"an analysis", R"({"model": "abc", "widths": [2, 3], "eigen": {"tolerance": 0.5}})"};
};

TEST_F(JournalFile, GivesBackWhatWasAdded) {
  {
    Journal journal(file_, subject_);
    EXPECT_TRUE(journal.empty());
    EXPECT_FALSE(journal.Find<double>("one", 3));
    journal.Add<double>("one", {1.5, -0.0, 1e300});
    journal.Add<float>("two", {2.5F});
    journal.Add<double>("none", {});
    EXPECT_THAT(*journal.Find<double>("one", 3), ElementsAre(1.5, -0.0, 1e300));
  }
  const Journal again(file_, subject_);
  EXPECT_FALSE(again.empty());
  EXPECT_THAT(*again.Find<double>("one", 3), ElementsAre(1.5, -0.0, 1e300));
  EXPECT_THAT(*again.Find<float>("two", 1), ElementsAre(2.5F));
  EXPECT_TRUE(again.Find<double>("none", 0)->empty());
  EXPECT_FALSE(again.Find<double>("three", 1));
}

TEST_F(JournalFile, RefusesAStepOfAnotherTypeOrLength) {
  Journal journal(file_, subject_);
  journal.Add<double>("step", {1, 2, 3, 4});
  const auto damaged = AllOf(HasSubstr(file_.string() + ": step is damaged"), HasSubstr("remove it to start anew"));
  EXPECT_THAT(MessageOf([&] { journal.Find<double>("step", 3); }), damaged);
  EXPECT_THAT(MessageOf([&] { journal.Find<double>("step", 5); }), damaged);
  EXPECT_THAT(MessageOf([&] { journal.Find<float>("step", 8); }), damaged);
  EXPECT_THAT(MessageOf([&] { journal.Find<std::int64_t>("step", 4); }), damaged);
  EXPECT_THAT(MessageOf([&] { journal.Rows<double>("step", 3); }), damaged);
  EXPECT_THAT(journal.Rows<double>("step", 2), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(MessageOf([&] { journal.Get<double>("other", 1); }), HasSubstr("other is missing"));
}

TEST_F(JournalFile, DropsARecordThatWasCutOffAnywhereAndGoesOnBehindTheLastWholeOne) {
  {
    Journal journal(file_, subject_);
    journal.Add<double>("one", {1});
  }
  const auto whole = std::filesystem::file_size(file_);
  {
    Journal journal(file_, subject_);
    journal.Add<double>("two", {2, 3});
  }
  const std::string bytes = Contents(file_);
  for (std::size_t size = whole; size < bytes.size(); ++size) {
    Put(bytes.substr(0, size));
    Journal journal(file_, subject_);
    EXPECT_TRUE(journal.Find<double>("one", 1));
    EXPECT_FALSE(journal.Find<double>("two", 2)) << size;
    journal.Add<double>("three", {4});
    EXPECT_THAT(*Journal(file_, subject_).Find<double>("three", 1), ElementsAre(4));
  }
}

TEST_F(JournalFile, DropsARecordWhoseBytesChanged) {
  {
    Journal journal(file_, subject_);
    journal.Add<double>("one", {1});
  }
  std::fstream file(file_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(-10, std::ios::end);
  file << 'x';
  file.close();
  EXPECT_FALSE(Journal(file_, subject_).Find<double>("one", 1));
}

TEST_F(JournalFile, ReplacesAllStepsAtOnce) {
  Journal journal(file_, subject_);
  JournalSteps first, second;
  first.Add<double>("one", {1, 2});
  first.Add<char>("text", {'a', 'b'});
  second.Add<std::int64_t>("two", {7});
  journal.Replace(first);
  EXPECT_THAT(journal.Get<double>("one", 2), ElementsAre(1, 2));
  EXPECT_THAT(Journal(file_, subject_).Rows<char>("text", 1), ElementsAre('a', 'b'));
  journal.Replace(second);
  for (const Journal& each : {journal, Journal(file_, subject_)}) {
    EXPECT_FALSE(each.Find<double>("one", 2));
    EXPECT_THAT(each.Get<std::int64_t>("two", 1), ElementsAre(7));
  }
}

TEST_F(JournalFile, OfStepsThatBelongTogetherIsRefusedWhereAnyByteChangedOrIsMissing) {
  JournalSteps steps;
  steps.Add<double>("one", {1, 2});
  steps.Add<float>("two", {3});
  Journal(file_, subject_).Replace(steps);
  const std::string whole = Contents(file_);
  const auto refused = AllOf(HasSubstr(file_.string() + ": "), HasSubstr("remove it"), Not(HasSubstr("\n")));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    Put(changed);
    EXPECT_THAT(Refusal(subject_), refused) << "byte " << i;
    Put(whole.substr(0, i));
    EXPECT_THAT(Refusal(subject_), refused) << "the first " << i << " bytes";
  }
  Put(whole);
  EXPECT_EQ(Refusal(subject_), "");
}

TEST_F(JournalFile, OfAnotherSubjectIsRefusedNamingWhatDiffers) {
  Journal(file_, subject_).Add<double>("one", {1});
  EXPECT_EQ(Refusal(subject_), "");
  const auto with = [&](const std::string& json) { return Refusal({"an analysis", json}); };
  EXPECT_THAT(with(R"({"model": "abc", "widths": [2, 4], "eigen": {"tolerance": 0.5}})"),
              AllOf(HasSubstr("another widths: [2,3] there, [2,4] here"), HasSubstr("remove the file")));
  EXPECT_THAT(with(R"({"model": "abc", "widths": [2, 3], "eigen": {"tolerance": 0.25}})"),
              HasSubstr("another tolerance of eigen: 0.5 there, 0.25 here"));
  EXPECT_THAT(with(R"({"model": "abc", "eigen": {"tolerance": 0.5}})"), HasSubstr("another widths: [2,3] there, none"));
  EXPECT_THAT(with(R"({"model": "abc", "widths": [2, 3], "eigen": {"tolerance": 0.5}, "random_seed": 1})"),
              HasSubstr("another random seed: none there, 1 here"));
}

TEST_F(JournalFile, MakesNoFileBeforeTheFirstStep) {
  Journal journal(file_, subject_);
  EXPECT_FALSE(std::filesystem::exists(file_));
  journal.Add<double>("one", {1});
  EXPECT_TRUE(std::filesystem::exists(file_));
}

TEST_F(JournalFile, RefusesFilesThatAreNoneOfItsKind) {
  Put("some other file\n");
  EXPECT_THAT(Refusal(subject_), HasSubstr("is no checkpoint of an analysis; remove it or name another file"));
  Put("");
  EXPECT_THAT(Refusal(subject_), HasSubstr("no checkpoint"));
  std::filesystem::remove(file_);
  Journal(file_, subject_).Add<double>("one", {1});
  EXPECT_THAT(Refusal({"a training run", subject_.json}), HasSubstr("no checkpoint of a training run"));
}

TEST_F(JournalFile, RefusesPlacesThatCannotBeWritten) {
  EXPECT_THROW(Journal("/no/such/folder/journal", subject_), Error);
  EXPECT_THROW(Journal(std::filesystem::temp_directory_path(), subject_), Error);
}

/// Files may not grow beyond so many bytes while it is there: what a full disk does to them.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(JournalFile, LeavesNoFileWhereTheDiskIsFull) {
  Journal journal(file_, subject_);
  journal.Add<double>("one", {1});
  {
    const FileSizeLimit full(1 << 10);
    EXPECT_THAT(MessageOf([&] { journal.Add<double>("two", std::vector<double>(1 << 10)); }), HasSubstr("disk full"));
  }
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(JournalFile, ReplacedWhereTheDiskIsFullIsTheOldOne) {
  Journal journal(file_, subject_);
  JournalSteps steps, more;
  steps.Add<double>("one", {1});
  more.Add("two", std::vector<double>(1 << 10));
  journal.Replace(steps);
  {
    const FileSizeLimit full(1 << 10);
    EXPECT_THAT(MessageOf([&] { journal.Replace(more); }), HasSubstr("cannot be written"));
  }
  for (const Journal& each : {journal, Journal(file_, subject_)})
    EXPECT_THAT(each.Get<double>("one", 1), ElementsAre(1));
}

TEST(Journal, WithoutAFileKeepsNothing) {
  Journal journal;
  journal.Add<double>("one", {1});
  EXPECT_FALSE(journal.Find<double>("one", 1));
  journal.Replace({});
  EXPECT_TRUE(journal.empty());
}

}  // namespace
}  // namespace bitplan::files
