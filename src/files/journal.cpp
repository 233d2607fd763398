#include "files/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>

#include "bitplan/error.h"

namespace bitplan {

namespace {

constexpr std::string_view kFirstLine = "bitplan.journal/1";

/// FNV-1a, 64 bits: tells a record that was cut off from a whole one.
std::uint64_t Checksum(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

std::string Bytes(std::uint64_t number) { return {reinterpret_cast<const char*>(&number), sizeof number}; }

std::uint64_t Number(std::string_view bytes) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string HeaderOf(const JournalSubject& subject) {
  std::string header = fmt::format("{}\n", kFirstLine);
  for (const auto& [name, value] : subject) header += fmt::format("{}\t{}\n", name, OneLine(value));
  return header + "\n";
}

/// Lines up to the empty one that ends the header; without it when it is missing.
std::vector<std::string> HeaderLines(std::istream& in) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line) && !line.empty();) lines.push_back(line);
  return lines;
}

[[noreturn]] void Refuse(const std::filesystem::path& file, const std::string& why) {
  throw Error(fmt::format("{}: {}", file.string(), why));
}

void CheckSubject(const std::filesystem::path& file, const std::vector<std::string>& lines,
                  const JournalSubject& subject) {
  if (lines.empty() || lines.front() != kFirstLine)
    Refuse(file, "is no journal of an interrupted computation; remove it or name another file");
  std::istringstream expected(HeaderOf(subject));
  const std::vector<std::string> wanted = HeaderLines(expected);
  for (std::size_t i = 1; i < std::max(lines.size(), wanted.size()); ++i) {
    const std::string there = i < lines.size() ? lines[i] : "", here = i < wanted.size() ? wanted[i] : "";
    if (there == here) continue;
    const auto value = [](const std::string& line) { return line.substr(std::min(line.size(), line.find('\t') + 1)); };
    const std::string& named = here.empty() ? there : here;
    Refuse(file, fmt::format("was begun with another {}: {} there, {} here; remove the file to start anew",
                             named.substr(0, named.find('\t')), value(there), value(here)));
  }
}

}  // namespace

Journal::Journal(std::filesystem::path file, const JournalSubject& subject) : file_(std::move(file)) {
  header_ = HeaderOf(subject);
  std::error_code ignored;
  if (std::filesystem::is_directory(file_, ignored)) Refuse(file_, "is a folder; expected a file name");
  const bool there = std::filesystem::exists(file_, ignored);
  // It stays away until there is something to keep: a new one is tried under another name.
  const std::filesystem::path tried = there ? file_ : std::filesystem::path(file_.string() + ".partial");
  if (!std::ofstream(tried, std::ios::binary | std::ios::app))
    Refuse(file_, "cannot be written; is the folder there, and writable?");
  if (!there) {
    std::filesystem::remove(tried, ignored);
    return;
  }
  std::ifstream in(file_, std::ios::binary);
  if (!in) Refuse(file_, "cannot be read");
  CheckSubject(file_, HeaderLines(in), subject);
  Index();
}

/// A record: sizes of name and payload, name, payload, checksum of both.
void Journal::Index() {
  std::ifstream in(file_, std::ios::binary);
  const std::uint64_t size = std::filesystem::file_size(file_);
  constexpr std::uint64_t kSizes = 2 * sizeof(std::uint64_t), kSum = sizeof(std::uint64_t);
  std::uint64_t at = header_.size();
  std::string sizes(kSizes, '\0'), sum(kSum, '\0');
  while (at + kSizes + kSum <= size) {
    in.seekg(static_cast<std::streamoff>(at));
    if (!in.read(sizes.data(), kSizes)) break;
    const std::uint64_t name_size = Number(sizes),
                        payload_size = Number(std::string_view(sizes).substr(sizeof(std::uint64_t)));
    const std::uint64_t left = size - at - kSizes - kSum;
    if (name_size > left || payload_size > left - name_size) break;
    std::string name(name_size, '\0'), payload(payload_size, '\0');
    if (!in.read(name.data(), static_cast<std::streamsize>(name_size)) ||
        !in.read(payload.data(), static_cast<std::streamsize>(payload_size)) || !in.read(sum.data(), kSum) ||
        Number(sum) != Checksum(payload, Checksum(name)))
      break;
    records_[name] = {at + kSizes + name_size, payload_size};
    at += kSizes + name_size + payload_size + kSum;
  }
  in.close();
  if (at < size) std::filesystem::resize_file(file_, at);
}

std::optional<std::string> Journal::Read(const std::string& step) const {
  const auto record = records_.find(step);
  if (record == records_.end()) return std::nullopt;
  std::ifstream in(file_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(record->second.begin));
  std::string payload(record->second.size, '\0');
  if (!in.read(payload.data(), static_cast<std::streamsize>(payload.size()))) Refuse(file_, "cannot be read");
  return payload;
}

void Journal::Append(const std::string& step, std::string_view payload) {
  if (file_.empty()) return;
  std::ofstream out(file_, std::ios::binary | std::ios::app);
  if (out.tellp() == 0) out << header_;
  const auto end = static_cast<std::uint64_t>(out.tellp());
  out << Bytes(step.size()) << Bytes(payload.size()) << step << payload << Bytes(Checksum(payload, Checksum(step)))
      << std::flush;
  if (!out) {
    out.close();
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);  // the record is cut off, and room on the disk is what is wanted
    Refuse(file_, "cannot be written; is the disk full?");
  }
  records_[step] = {end + 2 * sizeof(std::uint64_t) + step.size(), payload.size()};
}

}  // namespace bitplan
