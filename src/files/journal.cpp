#include "files/journal.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "json_difference.h"

namespace bitplan::files {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFirstLine = "bitplan.checkpoint/1";
constexpr std::size_t kHeadSize = 2 * sizeof(std::uint64_t) + 1;  // of a record
constexpr std::size_t kSumSize = sizeof(std::uint32_t);

std::uint32_t Checksum(std::string_view text, std::uint32_t sum = 0) {
  if (text.empty()) return sum;  // zlib takes no bytes at no address for the wish to begin anew
  return static_cast<std::uint32_t>(crc32_z(sum, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

template <typename Number>
std::string BytesOf(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

template <typename Number>
Number NumberAt(std::string_view bytes, std::size_t at) {
  Number number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

std::string HeadOf(std::size_t name_size, std::size_t payload_size, StepType type) {
  return BytesOf<std::uint64_t>(name_size) + BytesOf<std::uint64_t>(payload_size) + static_cast<char>(type);
}

/// Writes a record with `sink`, piece by piece.
template <typename Sink>
void WriteRecord(std::string_view name, StepType type, std::string_view payload, const Sink& sink) {
  const std::string head = HeadOf(name.size(), payload.size(), type);
  for (const std::string_view part : {std::string_view(head), name, payload}) sink(part);
  sink(BytesOf(Checksum(payload, Checksum(name, Checksum(head)))));
}

std::string Line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Long values, a plan, are not for a message.
std::string Sides(const files::JsonDifference& difference) {
  constexpr std::size_t kLongest = 64;
  if (difference.there.size() > kLongest || difference.here.size() > kLongest) return "";
  const auto text = [](const std::string& value) { return value.empty() ? "none" : value; };
  return fmt::format(": {} there, {} here", text(difference.there), text(difference.here));
}

}  // namespace

void Journal::Refuse(const std::string& why) const { throw Error(fmt::format("{}: {}", file_.string(), why)); }

void Journal::RefuseDamaged(const std::string& what) const {
  Refuse(fmt::format("{} is damaged; it is a damaged checkpoint, remove it to start anew", what));
}

void Journal::RefuseMissing(const std::string& step) const {
  Refuse(fmt::format("{} is missing; it is a damaged checkpoint, remove it to start anew", step));
}

Journal::Journal(std::filesystem::path file, const JournalSubject& subject)
    : file_(std::move(file)), subject_(subject) {
  if (file_.empty()) return;
  std::error_code ignored;
  if (std::filesystem::is_directory(file_, ignored)) Refuse("is a folder; expected a file name");
  const bool there = std::filesystem::exists(file_, ignored);
  // It stays away until there is something to keep: a new one is tried under another name.
  const std::filesystem::path tried = there ? file_ : std::filesystem::path(file_.string() + ".partial");
  if (!std::ofstream(tried, std::ios::binary | std::ios::app))
    Refuse("cannot be written; is the folder there, and writable?");
  if (!there) {
    std::filesystem::remove(tried, ignored);
    return;
  }
  Index(CheckHeader());
}

std::vector<std::string> Journal::steps() const {
  std::vector<std::string> names;
  for (const auto& [name, record] : records_) names.push_back(name);
  return names;
}

std::string Journal::Header(std::size_t whole) const {
  const std::string line = Line({{"kind", subject_.kind}, {"whole", whole}, {"of", Json::parse(subject_.json)}});
  return fmt::format("{}\n{}\n{:08x}\n", kFirstLine, line, Checksum(line));
}

std::uint64_t Journal::CheckHeader() const {
  std::ifstream in(file_, std::ios::binary);
  if (!in) Refuse("cannot be read");
  std::string first(kFirstLine.size() + 1, '\0'), line, sum;
  const auto refuse_kind = [&] {
    Refuse(fmt::format("is no checkpoint of {}; remove it or name another file", subject_.kind));
  };
  if (!in.read(first.data(), static_cast<std::streamsize>(first.size())) || first != fmt::format("{}\n", kFirstLine))
    refuse_kind();
  if (!std::getline(in, line) || !std::getline(in, sum) || in.eof() || sum != fmt::format("{:08x}", Checksum(line)))
    RefuseDamaged("what it is of");
  const Json header = Json::parse(line);
  if (header["kind"] != subject_.kind) refuse_kind();
  if (const auto difference = files::FirstDifference(header["of"], Json::parse(Line(Json::parse(subject_.json)))))
    Refuse(fmt::format("was begun with another {}{}; remove the file to start anew", difference->InWords(),
                       Sides(*difference)));
  return header["whole"].get<std::uint64_t>();
}

void Journal::Index(std::uint64_t whole) {
  std::ifstream in(file_, std::ios::binary);
  for (int line = 0; line < 3; ++line) in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  const std::uint64_t size = std::filesystem::file_size(file_);
  auto at = static_cast<std::uint64_t>(in.tellg());
  std::uint64_t found = 0;
  std::string head(kHeadSize, '\0'), sum(kSumSize, '\0');
  while (at + kHeadSize + kSumSize <= size && in.read(head.data(), kHeadSize)) {
    const auto name_size = NumberAt<std::uint64_t>(head, 0), payload_size = NumberAt<std::uint64_t>(head, 8);
    const std::uint64_t left = size - at - kHeadSize - kSumSize;
    if (name_size > left || payload_size > left - name_size) break;
    std::string text(name_size + payload_size, '\0');
    if (!in.read(text.data(), static_cast<std::streamsize>(text.size())) || !in.read(sum.data(), kSumSize) ||
        NumberAt<std::uint32_t>(sum, 0) != Checksum(text, Checksum(head)))
      break;
    records_[text.substr(0, name_size)] = {static_cast<StepType>(head.back()), at + kHeadSize + name_size,
                                           payload_size};
    at += kHeadSize + text.size() + kSumSize;
    ++found;
  }
  in.close();
  if (found < whole) RefuseDamaged(fmt::format("step {} of {}", found + 1, whole));
  if (at < size) std::filesystem::resize_file(file_, at);
}

void Journal::Read(const std::string& step, StepType type, void* bytes, std::size_t size) const {
  const auto record = records_.find(step);
  if (record == records_.end()) RefuseMissing(step);
  if (record->second.type != type || record->second.size != size) RefuseDamaged(step);
  std::ifstream in(file_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(record->second.begin));
  if (!in.read(static_cast<char*>(bytes), static_cast<std::streamsize>(size))) Refuse("cannot be read");
}

void Journal::Append(const std::string& step, StepType type, std::string_view payload) {
  std::error_code ignored;
  if (!std::filesystem::exists(file_, ignored)) WriteFile(file_, Header(0));
  std::ofstream out(file_, std::ios::binary | std::ios::app);
  const auto end = static_cast<std::uint64_t>(out.tellp());
  WriteRecord(step, type, payload, [&](std::string_view part) { out << part; });
  out << std::flush;
  if (!out) {
    out.close();
    std::filesystem::remove(file_, ignored);  // the record is cut off, and room on the disk is what is wanted
    Refuse("cannot be written; is the disk full?");
  }
  records_[step] = {type, end + kHeadSize + step.size(), payload.size()};
}

void Journal::Replace(const JournalSteps& steps) {
  if (file_.empty()) return;
  std::map<std::string, Record> records;
  const std::string header = Header(steps.steps_.size());
  std::uint64_t at = header.size();
  WriteFile(file_, [&](const ByteSink& sink) {
    sink(header);
    for (const JournalSteps::Step& step : steps.steps_) {
      WriteRecord(step.name, step.type, step.payload, sink);
      records[step.name] = {step.type, at + kHeadSize + step.name.size(), step.payload.size()};
      at += kHeadSize + step.name.size() + step.payload.size() + kSumSize;
    }
  });
  records_ = std::move(records);
}

}  // namespace bitplan::files
