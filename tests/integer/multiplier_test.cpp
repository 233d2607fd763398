#include "multiplier.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <random>

namespace bitplan::integer {
namespace {

using Big = boost::multiprecision::cpp_int;
using Rational = boost::multiprecision::cpp_rational;

/// value / 2^shift, exactly.
Rational Exact(Multiplier multiplier) {
  const Rational value(multiplier.value);
  return multiplier.shift >= 0 ? Rational(value / Rational(Big(1) << multiplier.shift))
                               : Rational(value * Rational(Big(1) << -multiplier.shift));
}

/// The integer nearest to a rational number, of two as near the even one.
Big Nearest(const Rational& number) {
  const Big two = 2 * denominator(number), above = 2 * numerator(number) + denominator(number);
  Big below = above / two;
  if (above < 0 && below * two != above) --below;  // ⌊number + ½⌋
  const bool tie = below * two == above;
  return tie && below % 2 != 0 ? Big(below - 1) : below;
}

TEST(Multiplier, IsTheNearestOfItsBits) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-60, 20);
  for (int bits = 1; bits <= 31; ++bits)
    for (int i = 0; i < 50; ++i) {
      const double number = std::exp2(exponent(random));
      const Multiplier multiplier = MultiplierOf(number, bits);
      EXPECT_GE(multiplier.value, std::int64_t{1} << (bits - 1));
      EXPECT_LT(multiplier.value, std::int64_t{1} << bits);
      const Rational error = abs(Rational(Exact(multiplier) / Rational(number) - 1));
      EXPECT_LE(error, Rational(1) / Rational(Big(1) << bits)) << number << " in " << bits << " bits";
    }
}

TEST(Multiplier, ProductsAreRoundedOnceAndHalfToEven) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> exponent(-45, 4);
  for (const int width : {8, 20, 31, 32, 48})
    for (int i = 0; i < 2000; ++i) {
      const std::int64_t q = static_cast<std::int64_t>(random() >> (65 - width)) * (i % 2 == 0 ? 1 : -1);
      const Multiplier multiplier = MultiplierOf(std::exp2(exponent(random)), 1 + i % 31);
      EXPECT_EQ(Big(Multiplied(q, multiplier)), Nearest(Exact(multiplier) * Rational(q)))
          << q << " · " << multiplier.value << " >> " << multiplier.shift;
    }
}

TEST(Multiplier, OfTwoAsNearTheEvenOneIsTaken) {
  const Multiplier half = MultiplierOf(0.5, 8);
  EXPECT_EQ(Multiplied(1, half), 0);
  EXPECT_EQ(Multiplied(3, half), 2);
  EXPECT_EQ(Multiplied(5, half), 2);
  EXPECT_EQ(Multiplied(-1, half), 0);
  EXPECT_EQ(Multiplied(-3, half), -2);
}

TEST(Multiplier, ZeroAndTinyNumbersGiveZero) {
  EXPECT_EQ(Multiplied(1 << 30, MultiplierOf(0, 31)), 0);
  EXPECT_EQ(Multiplied(1 << 30, MultiplierOf(1e-300, 31)), 0);
  EXPECT_EQ(Multiplied(0, MultiplierOf(1e300, 31)), 0);
}

TEST(Multiplier, WhatIsTooLargeIsCut) {
  EXPECT_EQ(Multiplied(5, MultiplierOf(1e300, 31)), std::int64_t{1} << 62);
  EXPECT_EQ(Multiplied(-5, MultiplierOf(1e300, 31)), -(std::int64_t{1} << 62));
}

}  // namespace
}  // namespace bitplan::integer
