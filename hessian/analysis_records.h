#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "files/journal.h"

namespace bitplan::hessian {

/// What units of an analysis came to, by name: computed and kept in a journal as they are asked for, or found in the
/// files of several parts. Whoever reduces records asks for them in a fixed order, whoever computed them.
class AnalysisRecords {
 public:
  /// What is not in `journal` is computed, and kept there.
  explicit AnalysisRecords(files::Journal journal) : computes_(true) { journals_.push_back(std::move(journal)); }

  /// Of parts: nothing is computed. Throws Error where one is not there, two have the same record, or differ in one
  /// that is common to all.
  AnalysisRecords(const std::vector<std::filesystem::path>& parts, const files::JournalSubject& subject);

  /// A record of `count` numbers of type T, or where it is not there what `compute` gives. Throws Error when it is in
  /// no part.
  template <typename T, typename Compute>
  std::vector<T> Get(const std::string& name, std::size_t count, const Compute& compute) {
    for (const files::Journal& journal : journals_)
      if (std::optional<std::vector<T>> found = journal.Find<T>(name, count)) return *std::move(found);
    return Computed<T>(name, compute);
  }

  /// A record of any number of rows of so many columns.
  template <typename T, typename Compute>
  std::vector<T> Rows(const std::string& name, std::size_t columns, const Compute& compute) {
    for (const files::Journal& journal : journals_)
      if (journal.Has(name)) return journal.Rows<T>(name, columns);
    return Computed<T>(name, compute);
  }

  /// A record that every part has to know, and keeps: how samples are taken in blocks.
  template <typename Compute>
  std::vector<std::int64_t> Common(const std::string& name, std::size_t columns, const Compute& compute) {
    const auto known = common_.find(name);
    if (known != common_.end()) return known->second;
    const Keeping all(*this, true);
    return common_[name] = Rows<std::int64_t>(kCommon + name, columns, compute);
  }

  /// Adds a name without numbers. Throws Error when other records are there, but not it.
  void Claim(const std::string& name);

  /// While it lives, whether what is computed is kept.
  class Keeping {
   public:
    Keeping(AnalysisRecords& records, bool keeps) : records_(records), before_(records.keeps_) {
      records_.keeps_ = keeps;
    }
    Keeping(const Keeping&) = delete;
    Keeping& operator=(const Keeping&) = delete;
    ~Keeping() { records_.keeps_ = before_; }

   private:
    AnalysisRecords& records_;
    bool before_;
  };

 private:
  static constexpr const char* kCommon = "all parts: ";

  template <typename T, typename Compute>
  std::vector<T> Computed(const std::string& name, const Compute& compute) {
    if (!computes_) RefuseMissing(name);
    std::vector<T> values = compute();
    if (keeps_) journals_.front().Add(name, values);
    return values;
  }

  void CheckDisjoint() const;
  [[noreturn]] void RefuseMissing(const std::string& name) const;

  std::vector<files::Journal> journals_;
  std::map<std::string, std::vector<std::int64_t>> common_;  // that were asked for
  bool computes_ = false, keeps_ = true;
};

}  // namespace bitplan::hessian
