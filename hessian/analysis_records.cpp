#include "analysis_records.h"

#include <fmt/format.h>

#include <map>
#include <system_error>

#include "bitplan/error.h"

namespace bitplan::hessian {

AnalysisRecords::AnalysisRecords(const std::vector<std::filesystem::path>& parts,
                                 const files::JournalSubject& subject) {
  if (parts.empty()) throw Error("no parts of an analysis are given");
  for (const std::filesystem::path& part : parts) {
    std::error_code ignored;
    if (!std::filesystem::exists(part, ignored)) throw Error(fmt::format("{}: there is no such part", part.string()));
    journals_.emplace_back(part, subject);
  }
  CheckDisjoint();
}

void AnalysisRecords::CheckDisjoint() const {
  std::map<std::string, const files::Journal*> owners;
  for (const files::Journal& journal : journals_)
    for (const std::string& name : journal.steps()) {
      const auto [owner, added] = owners.emplace(name, &journal);
      if (added) continue;
      const std::string one = owner->second->file().string(), other = journal.file().string();
      if (!name.starts_with(kCommon)) throw Error(fmt::format("{} and {} both have {}", one, other, name));
      if (owner->second->Rows<std::int64_t>(name, 1) != journal.Rows<std::int64_t>(name, 1))
        throw Error(
            fmt::format("{} and {} differ in {}: parts must be taken in blocks of the same size, so on machines "
                        "with equal libraries",
                        one, other, name.substr(std::string(kCommon).size())));
    }
}

void AnalysisRecords::Claim(const std::string& name) {
  files::Journal& journal = journals_.front();
  if (journal.Has(name)) return;
  if (!journal.empty())
    throw Error(
        fmt::format("{}: is another part than {}; remove it or name another file", journal.file().string(), name));
  journal.Add<char>(name, {});
}

void AnalysisRecords::RefuseMissing(const std::string& name) const {
  std::string list;
  for (const files::Journal& journal : journals_) list += (list.empty() ? "" : ", ") + journal.file().string();
  throw Error(fmt::format("a part is missing: {} {} not in {}", name, journals_.size() == 1 ? "is" : "are", list));
}

}  // namespace bitplan::hessian
