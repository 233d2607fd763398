#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "bitplan/error.h"
#include "bitplan/problem.h"

namespace bitplan::search {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr float kFloatInfinity = std::numeric_limits<float>::infinity();

std::string MessageOf(const JointTerm& term) {
  Problem problem;
  for (const char* name : {"first", "second"}) problem.groups.push_back({name, {}, {{"w4", 0, {}}, {"w8", 0, {}}}});
  problem.joint = term;
  try {
    problem.Validate();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

QuadraticTerm Identity() { return {{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}}; }

LogitTerm Logits() { return {.samples = 1, .classes = 2, .logits = {1, 2}, .shifts = {0, 1, 2, 3, 4, 5, 6, 7}}; }

std::string MessageAfter(const std::function<void(LogitTerm&)>& spoil) {
  LogitTerm term = Logits();
  spoil(term);
  return MessageOf(term);
}

TEST(JointTerm, WellFormedOnesAreAccepted) {
  EXPECT_EQ(MessageOf(Identity()), "");
  EXPECT_EQ(MessageOf(QuadraticTerm{std::vector<double>(16, 1.0)}), "");  // of rank 1
  EXPECT_EQ(MessageOf(QuadraticTerm{std::vector<double>(16, 0.0)}), "");
  EXPECT_EQ(MessageOf(Logits()), "");
  EXPECT_EQ(MessageAfter([](LogitTerm& term) {
              term.loss = LogitLoss::SquaredShift;
              term.logits.clear();
            }),
            "");
}

TEST(JointTerm, AMatrixOfTheWrongSizeIsRefused) {
  EXPECT_THAT(MessageOf(QuadraticTerm{{1, 0, 0, 1}}), AllOf(HasSubstr("4 entries"), HasSubstr("4 × 4")));
}

TEST(JointTerm, AMatrixThatIsNotFiniteIsRefused) {
  QuadraticTerm term = Identity();
  term.matrix[6] = kNan;
  EXPECT_THAT(MessageOf(term), HasSubstr("[1, 2]"));
  term.matrix.assign(16, 1e308);
  EXPECT_THAT(MessageOf(term), HasSubstr("too large"));
}

TEST(JointTerm, AMatrixThatIsNotSymmetricIsRefused) {
  QuadraticTerm term = Identity();
  term.matrix[4] = 0.5;
  EXPECT_THAT(MessageOf(term), AllOf(HasSubstr("not symmetric"), HasSubstr("[1, 0]")));
}

TEST(JointTerm, AnIndefiniteMatrixIsRefusedWithItsLeastEigenvalue) {
  QuadraticTerm term = Identity();
  term.matrix[1] = term.matrix[4] = 3;
  EXPECT_THAT(MessageOf(term), AllOf(HasSubstr("not positive semidefinite"), HasSubstr("-2")));
}

TEST(JointTerm, LogitsAndShiftsOfTheWrongSizeAreRefused) {
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.shifts.pop_back(); }), HasSubstr("shifts"));
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.logits.pop_back(); }), HasSubstr("logits"));
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.samples = 0; }), HasSubstr("samples"));
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.classes = 1; }), HasSubstr("classes"));
}

TEST(JointTerm, NumbersOutsideTheirRangesAreRefused) {
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.shifts[3] = kFloatInfinity; }), HasSubstr("shifts: number 3"));
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.logits[1] = kFloatInfinity; }), HasSubstr("logits: number 1"));
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.temperature = 0; }), HasSubstr("temperature is 0"));
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.temperature = kNan; }), HasSubstr("temperature"));
  EXPECT_THAT(MessageAfter([](LogitTerm& term) { term.scale = -1; }), HasSubstr("scale is -1"));
}

}  // namespace
}  // namespace bitplan::search
