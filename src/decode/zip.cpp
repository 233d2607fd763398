#include "decode/zip.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "bitplan/error.h"
#include "decode/array.h"
#include "tuning.h"

namespace bitplan::decode {
namespace {

/// libzip's own description of an error, freed with it.
class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  zip_error_t* get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_;
};

}  // namespace

void ZipArchive::Close::operator()(zip_t* archive) const { zip_discard(archive); }

void ZipArchive::CloseEntry::operator()(zip_file_t* entry) const { zip_fclose(entry); }

ZipArchive::ZipArchive(std::span<const std::uint8_t> bytes, std::string file)
    : file_(std::move(file)), file_bytes_(bytes.size()) {
  ZipError error;
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get());
  Open(source, error.text());
}

ZipArchive::ZipArchive(const std::filesystem::path& file)
    : file_(file.string()), state_(file), file_bytes_(state_->size()) {
  ZipError error;
  zip_source_t* const source = zip_source_file_create(file_.c_str(), 0, -1, error.get());
  Open(source, error.text());
}

void ZipArchive::Open(zip_source_t* source, const std::string& failure) {
  if (source == nullptr) throw Error(fmt::format("{}: cannot be read as a zip archive: {}", file_, failure));
  ZipError error;
  archive_.reset(zip_open_from_source(source, ZIP_RDONLY, error.get()));
  if (!archive_) {
    zip_source_free(source);  // an archive that opens takes it over
    throw Error(fmt::format("{}: is not a complete zip archive: {}", file_, error.text()));
  }
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  std::set<std::string> seen;
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* const name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
    if (name == nullptr) throw Error(fmt::format("{}: entry {} of the zip archive has no name", file_, i));
    if (!seen.insert(name).second) throw Error(fmt::format("{}: has two entries named {}", file_, name));
    names_.emplace_back(name);
  }
  CheckApart();
}

void ZipArchive::CheckApart() const {
  std::uint64_t in_file = 0;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    zip_stat_t stated;
    zip_stat_init(&stated);
    const bool known = zip_stat_index(archive_.get(), i, 0, &stated) == 0 && (stated.valid & ZIP_STAT_COMP_SIZE) != 0;
    if (!known || stated.comp_size > file_bytes_ - in_file)
      throw Error(fmt::format("{}: is damaged: the entries up to it are larger than the file", EntryName(i)));
    in_file += stated.comp_size;
  }
}

std::string ZipArchive::EntryName(std::size_t index) const {
  return fmt::format("{}: entry {}", file_, names_.at(index));
}

ZipArchive::Entry ZipArchive::OpenEntry(std::size_t index) const {
  Entry entry(zip_fopen_index(archive_.get(), index, 0));
  if (entry) return entry;
  throw Error(fmt::format("{}: cannot be read: {}", EntryName(index), zip_strerror(archive_.get())));
}

void ZipArchive::Stream(std::size_t index, const Consumer& consume) const {
  const std::uint64_t size = Size(index);
  const std::lock_guard lock(mutex_);
  const Entry entry = OpenEntry(index);
  std::vector<std::uint8_t> chunk(tuning::kZipChunk);
  for (std::uint64_t done = 0;;) {
    const zip_int64_t read = zip_fread(entry.get(), chunk.data(), chunk.size());
    if (read < 0) throw Error(fmt::format("{}: is damaged: {}", EntryName(index), zip_file_strerror(entry.get())));
    if (read == 0) return;
    done += static_cast<std::uint64_t>(read);
    if (done > size)
      throw Error(fmt::format("{}: is damaged: it unpacks to more than {} bytes", EntryName(index), size));
    consume({chunk.data(), static_cast<std::size_t>(read)});
  }
}

bool ZipArchive::IsStored(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  zip_stat_t stated;
  zip_stat_init(&stated);
  return zip_stat_index(archive_.get(), index, 0, &stated) == 0 && (stated.valid & ZIP_STAT_COMP_METHOD) != 0 &&
         stated.comp_method == ZIP_CM_STORE;
}

std::uint64_t ZipArchive::Size(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  zip_stat_t stated;
  zip_stat_init(&stated);
  const bool known = zip_stat_index(archive_.get(), index, 0, &stated) == 0 && (stated.valid & ZIP_STAT_SIZE) != 0;
  return known ? stated.size : 0;
}

std::vector<std::uint8_t> ZipArchive::Read(std::size_t index) const {
  // Grows with what is really there: the size that the archive states may be wrong.
  std::vector<std::uint8_t> contents;
  Stream(index,
         [&](std::span<const std::uint8_t> piece) { contents.insert(contents.end(), piece.begin(), piece.end()); });
  return contents;
}

void ZipArchive::Verify() const {
  for (std::size_t i = 0; i < names_.size(); ++i) Stream(i, [](std::span<const std::uint8_t>) {});
}

ZipEntry::ZipEntry(std::shared_ptr<const ZipArchive> archive, std::size_t index)
    : archive_(std::move(archive)), index_(index) {}

ZipEntry::~ZipEntry() {
  const std::lock_guard lock(archive_->mutex_);
  entry_.reset();
}

void ZipEntry::Read(std::uint64_t at, std::span<std::uint8_t> bytes) const {
  if (archive_->state_) archive_->state_->CheckUnchanged();
  const bool seeks = anywhere();
  const std::lock_guard lock(archive_->mutex_);
  if (!entry_) entry_ = archive_->OpenEntry(index_);
  if (seeks && at != position_ && zip_fseek(entry_.get(), static_cast<zip_int64_t>(at), SEEK_SET) == 0) position_ = at;
  if (at < position_) {
    entry_ = archive_->OpenEntry(index_);
    position_ = 0;
  }
  GoTo(at);
  ReadOn(bytes);
}

void ZipEntry::GoTo(std::uint64_t at) const {
  std::vector<std::uint8_t> passed;
  while (position_ < at) {
    passed.resize(std::min<std::uint64_t>(tuning::kZipChunk, at - position_));
    ReadOn(passed);
  }
}

void ZipEntry::ReadOn(std::span<std::uint8_t> bytes) const {
  for (std::size_t done = 0; done < bytes.size();) {
    const zip_int64_t read = zip_fread(entry_.get(), bytes.data() + done, bytes.size() - done);
    if (read <= 0)
      throw Error(fmt::format("{}: {}", archive_->EntryName(index_),
                              read < 0 ? fmt::format("is damaged: {}", zip_file_strerror(entry_.get()))
                                       : fmt::format("ends after {} bytes", Grouped(position_))));
    done += static_cast<std::size_t>(read);
    position_ += static_cast<std::uint64_t>(read);
  }
}

}  // namespace bitplan::decode
