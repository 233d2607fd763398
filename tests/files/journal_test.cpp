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

namespace bitplan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

  const TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "journal";
  const JournalSubject subject_ = {{"model", "abc"}, {"widths", "2,3"}};
};

TEST_F(JournalFile, GivesBackWhatWasAdded) {
  {
    Journal journal(file_, subject_);
    EXPECT_FALSE(journal.Find<double>("one"));
    journal.Add<double>("one", {1.5, -0.0, 1e300});
    journal.Add<float>("two", {2.5F});
    journal.Add<double>("none", {});
    EXPECT_THAT(*journal.Find<double>("one"), ElementsAre(1.5, -0.0, 1e300));
  }
  const Journal again(file_, subject_);
  EXPECT_THAT(*again.Find<double>("one"), ElementsAre(1.5, -0.0, 1e300));
  EXPECT_THAT(*again.Find<float>("two"), ElementsAre(2.5F));
  EXPECT_TRUE(again.Find<double>("none")->empty());
  EXPECT_FALSE(again.Find<double>("three"));
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
    std::ofstream(file_, std::ios::binary) << bytes.substr(0, size);
    Journal journal(file_, subject_);
    EXPECT_TRUE(journal.Find<double>("one"));
    EXPECT_FALSE(journal.Find<double>("two")) << size;
    journal.Add<double>("three", {4});
    EXPECT_THAT(*Journal(file_, subject_).Find<double>("three"), ElementsAre(4));
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
  EXPECT_FALSE(Journal(file_, subject_).Find<double>("one"));
}

TEST_F(JournalFile, OfAnotherSubjectIsRefusedNamingWhatDiffers) {
  Journal(file_, subject_).Add<double>("one", {1});
  EXPECT_EQ(Refusal(subject_), "");
  EXPECT_THAT(Refusal({{"model", "abc"}, {"widths", "2,4"}}),
              AllOf(HasSubstr("another widths: 2,3 there, 2,4 here"), HasSubstr("remove the file")));
  EXPECT_THAT(Refusal({{"model", "abc"}}), HasSubstr("another widths"));
  EXPECT_THAT(Refusal({{"model", "abc"}, {"widths", "2,3"}, {"seed", "1"}}), HasSubstr("another seed"));
}

TEST_F(JournalFile, MakesNoFileBeforeTheFirstStep) {
  Journal journal(file_, subject_);
  EXPECT_FALSE(std::filesystem::exists(file_));
  journal.Add<double>("one", {1});
  EXPECT_TRUE(std::filesystem::exists(file_));
}

TEST_F(JournalFile, RefusesFilesThatAreNotJournals) {
  std::ofstream(file_) << "some other file\n";
  EXPECT_THAT(Refusal(subject_), HasSubstr("no journal"));
  std::ofstream(file_, std::ios::trunc).flush();
  EXPECT_THAT(Refusal(subject_), HasSubstr("no journal"));
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

TEST(Journal, WithoutAFileKeepsNothing) {
  Journal journal;
  journal.Add<double>("one", {1});
  EXPECT_FALSE(journal.Find<double>("one"));
}

}  // namespace
}  // namespace bitplan
