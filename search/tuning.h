#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

/// Numbers that no formula gives, each with the reason or the benchmark that settled it. None of them changes what is
/// proven: bounds hold, and plans are within budgets, whatever they are.
///
/// [÷2 a, ×2 b]: the time at half and at twice the number, relative to that at the number itself, summed over 76
/// problems of the kinds of benchmarks/make_hard_instance.py and make_tied_instance.py, gap 1e-6. Two runs of the same
/// differ by 3 %.
namespace bitplan::search::tuning {

// Rounding. Sums here are of at most some thousand numbers of one scale (cores are scaled by powers of two).

/// Of a bound, a sum or a limit: what rounding may come to. 2⁻⁵³ times a few thousand terms.
inline constexpr double kRounding = 1e-12;
/// Of a budget: the step by which a front goes below what a plan spends. Far below kBudgetTolerance, above rounding.
inline constexpr double kLeastStep = 1e-12;
/// Time limits of what is left when nothing is: a search takes those above 0 only.
inline constexpr double kLeastSeconds = 1e-9;
/// How often stop and progress are asked: 50 a second look like at once, and cost nothing.
inline constexpr double kReportSeconds = 0.02;

/// The dual simplex method. Figures are scaled to about 1, so that an inverse of a few budgets has some 1e-13.
namespace simplex {
/// A share that is less below 0 than this is none: the square root of what is above, so that steps end.
inline constexpr double kShare = 1e-10;
/// Pivots below this are rounding; smaller ones would blow up the inverse.
inline constexpr double kPivot = 1e-10;
/// Reduced losses below this are 0.
inline constexpr double kReduced = 1e-14;
/// A basis that another problem leaves counts as dual feasible up to this. Where it does not, the method begins anew.
inline constexpr double kDual = 1e-9;
/// A matrix with a smaller pivot has no inverse.
inline constexpr double kSingular = 1e-14;
/// Shares nearer to 0 or 1 than this are whole.
inline constexpr double kWhole = 1e-9;
/// Roundings of a relaxation that are tried: all of 10 split groups of two columns, which is what ten budgets split.
inline constexpr double kMostRoundings = 1000;
}  // namespace simplex

/// Units that figures are whole multiples of.
namespace lattice {
inline constexpr double kLeastUnit = 1e-7;  ///< of a limit: finer units lower it by less than the usual gap, 1e-6
inline constexpr double kZero = 1e-11;      ///< of a limit: remainders below are rounding
inline constexpr double kMostError = 1e-3;  ///< of a unit: for a thousand groups the errors add up to one unit
inline constexpr double kLeastGain = 1e-6;  ///< of a unit: what a limit must be lowered by
}  // namespace lattice

/// Cutoffs that rise until a plan lies below.
namespace cutoffs {
inline constexpr double kFirst = 1.0 / 32;  ///< of the way from the bound to the plan at hand [÷2 1.01, ×2 1.08]
inline constexpr double kGrowth = 1.5;      ///< of the way from one to the next [1.05: 1.87, ×2 1.03]
/// Most problems are done by then; the greedy search, and the lists, cost as much [÷2 1.04, ×2 1.00, but 1.12 in the
/// geometric mean].
inline constexpr std::int64_t kNodesBeforeGreedy = 50;
inline constexpr std::int64_t kNodesOfCuts = 200;
}  // namespace cutoffs

/// Exchanges of two pairs.
namespace pairs {
inline constexpr std::int64_t kFirstWork = 400'000;  ///< pairs of pairs looked at, a millisecond or two; more each turn
inline constexpr std::int64_t kMostWork = 20'000'000;   ///< a tenth of a second; more finds no more
inline constexpr std::int64_t kNodesBeforeMost = 4000;  ///< where nothing else takes turns: about the same time
inline constexpr double kShareOfPairs = 0.1;            ///< of the work: pairs of changes, twice, which are sorted
inline constexpr double kGrowth = 8;                    ///< of what a budget may have left, from the gap on
inline constexpr double kNarrowest = 1e-6;              ///< window, of what a plan may be worse than its bound
}  // namespace pairs

/// Turns of the tree, the levelled problems and the lists. Each turn begins anew, so that all but the last are lost: at
/// a growth of 4 a third [÷2 1.21, ×2 1.08].
namespace turns {
inline constexpr std::int64_t kFirstNodes = 1000;  ///< [÷2 0.96, ×2 0.97]
/// Of a list, with one budget and with more, where each takes three bounds and a tree of the second cost: about the
/// time of the nodes, and a third of that [1024: ÷2 1.07, ×2 1.06; of two budgets, on a tied problem of 600 groups:
/// ×4 1.4].
inline constexpr std::size_t kFirstPlans[] = {1024, 256};
inline constexpr std::int64_t kGrowth = 4;
}  // namespace turns

/// Lists of partial plans.
namespace lists {
/// Of the gap: what pruning may use, and losses that count as equal. What is left is for rounding. [0.1 for
/// pruning: 1.01]
inline constexpr double kShareOfPruning = 0.5, kShareOfEqual = 0.45;
inline constexpr std::size_t kMostOfAll = std::size_t{1} << 25;   ///< plans of all lists of a turn: 128 MiB
inline constexpr std::size_t kMostAtOnce = std::size_t{1} << 21;  ///< of one before the beaten are left out: 96 MiB
inline constexpr std::size_t kBetweenLooks = 4096;                ///< at the clock: well below a millisecond
}  // namespace lists

/// Cuts. Two problems of 217 groups with costs of even numbers, 1e-3 off, and one of 13 groups and three budgets take
/// 63, 77 and 415 nodes with them, 37,000 to 93,000 without; they were chosen on these, and so that others do not pay.
namespace cuts {
inline constexpr double kLeastUnit = 1e-6;      ///< of a limit; finer ones are noise
inline constexpr std::size_t kMostUnits = 64;   ///< of a row
inline constexpr std::size_t kMostOfARow = 5;   ///< of which the deepest is taken: those exceeded most
inline constexpr int kMostMultiples = 3;        ///< of a row of the basis
inline constexpr double kLeastFraction = 0.02;  ///< of what is rounded off; figures grow by its inverse
inline constexpr double kLeastDepth = 1e-4;
inline constexpr double kMostCosine = 0.95;  ///< between two of a round
inline constexpr std::size_t kMostOfARound = 3, kMostRows = 8;
inline constexpr int kMostRounds = 12, kMostIdleRounds = 3;
inline constexpr double kLeastGain = 0.01, kLeastShare = 0.3;  ///< of what is between bound and cutoff
}  // namespace cuts

/// The trees.
namespace tree {
/// Before those that branch on tallies join: what spread-out problems of 500 groups take [÷2 0.97, ×2 1.02].
inline constexpr std::int64_t kNodesAlone = 1000;
/// Work of a relaxation beside its squared number of budgets: 8 budgets double it [÷2 1.00, ×2 1.09].
inline constexpr double kWorkOfFewBudgets = 64;
/// Of what a side's bound may rise: counts as the least, so that the other side still tells branches apart
/// [÷100 1.07, ×100 1.05].
inline constexpr double kLeastRise = 1e-6;
/// Of the waiting nodes; beyond, they are taken last in, first out, and their number grows slowly.
inline constexpr std::size_t kMostWaitingBytes = std::size_t{1} << 29;
/// That there is no plan is proven by then; how close one comes is worth this much effort and no more.
inline constexpr std::int64_t kMostNodesOfClosest = 300;
/// Moves that an exchange looks for partners among: pairs of them are a million, or some ten milliseconds
/// [÷2 1.02, ×2 1.03].
inline constexpr std::size_t kMostMoves = 2000;
}  // namespace tree

/// Tallies, and levels of noisy costs. Noise of timings is 1 % or so, widths of a layer differ by a tenth and more.
namespace tallies {
inline constexpr std::size_t kMostKinds =
    6;  ///< in a budget; with more the groups are not alike, and tallies tell little [÷2 1.04, ×2 1.04]
inline constexpr std::size_t kMost =
    8;  ///< doubles the work of a relaxation; those of most groups come first [÷2 1.30, ×2 1.06]
inline constexpr double kSpread = 0.15;  ///< of the costs of one level, first to last [÷2 1.47, ×2 1.03]
inline constexpr double kNoise = 0.015;  ///< between costs next to each other [÷2 1.58, ×2 1.47]
inline constexpr double kAlike =
    4;  ///< losses of groups that are alike: the largest at most so many times the least [÷2 1.05, ×2 1.08]
inline constexpr std::size_t kMostCounts = 12;           ///< three times the work of a relaxation [÷2 1.15, ×2 1.09]
inline constexpr std::size_t kLeastColumnsOfALevel = 3;  ///< on average; with fewer, counts tell little
inline constexpr double kWhole = 1e-6;                   ///< tallies nearer to a whole number than this are that
}  // namespace tallies

/// Steps beside a line of losses over costs.
namespace surpluses {
inline constexpr int kRounds = 14;                 ///< of fits to a line, down to 2⁻¹³ of the largest step: 1e-4
inline constexpr double kLeastRange = 1e-6;        ///< of the largest loss: less than that is noise, or the gap
inline constexpr double kLeastStepOfRange = 0.15;  ///< of the range; what is less is noise, which adds up to less
}  // namespace surpluses

/// Problems with levelled costs around noisy ones: their bounds differ by the noise, which is to be below the gap of a
/// hundredth of a percent that people ask for at most.
namespace levels {
inline constexpr double kNoise = 1e-4;   ///< [÷2 1.08, ×2 1.04]
inline constexpr double kSpread = 1e-3;  ///< [÷2 1.06]
}  // namespace levels

/// Rules that tie groups: combinations that one linked group may have.
namespace linked {
inline constexpr std::size_t kMostTogether = 65536;        ///< figures of one group: megabytes
inline constexpr std::size_t kMostTogetherJointly = 4096;  ///< a joint term has their pairs: 128 MiB of a matrix
}  // namespace linked

/// Joint terms.
namespace joint {
/// Of the largest entry: by how much a matrix may be asymmetric or have eigenvalues below 0, being rounded itself.
inline constexpr double kMatrixTolerance = 1e-9;

/// The start: local search from random changes of so many groups, so many times, over so many moves each.
inline constexpr int kKicks = 100, kGroupsAKick = 4;
inline constexpr std::size_t kMostTried = 8;

/// Rounds of ruling out columns, as long as each leaves at most this share of them.
inline constexpr int kMostRounds = 10;
inline constexpr double kWorthAnotherRound = 0.98;
/// Columns whose reduced loss is at least this share of what would rule them out are tried.
inline constexpr double kWorthProbing = 0.05;

/// Fits of the shifts after the first, and what they must gain: a share of the bound's distance from the cutoff.
inline constexpr int kRefitsOfRoot = 4, kRefits = 1;
inline constexpr double kWorthARefit = 0.05;
/// How close to a relaxation's minimum its bound is brought, as a share of its distance from the cutoff: of a region,
/// which is divided by what is found; of a probe and of a cheap tree's node, which are only closed or not.
inline constexpr double kPrecision = 0.02, kPrecisionOfProbes = 0.1, kPrecisionOfNodes = 0.1;
/// Beyond this, waiting regions are taken last in, first out: their number then grows slowly.
inline constexpr std::size_t kMostWaitingBytes = std::size_t{1} << 30;
/// Shares of a group that add up to less than this tell nothing.
inline constexpr double kLeastShares = 1e-3;

/// Newton steps of a logit model's bound, and the shortest step of their line search. They converge in four to eight.
inline constexpr int kMostSteps = 16;
inline constexpr double kShortestStep = 1.0 / 32;

/// The multiplier method of a quadratic relaxation: rounds, each with so many sweeps over the groups. Either is an end
/// that is met where precision is not.
inline constexpr int kMostRoundsOfMultipliers = 60, kSweepsPerRound = 6;
/// Of the distance from the cutoff over all groups: steps that gain less are left.
inline constexpr double kLeastStepOfSweeps = 0.01;

/// The block shift: what it leaves of the loss at each pass of its barrier, and sweeps of a pass.
inline constexpr double kSlacks[] = {0.3, 0.1, 0.03};
inline constexpr int kSweeps = 4;
/// The same for shifts of deeper nodes, which begin from their ancestor's.
inline constexpr double kSlackOfDepths = 0.03;
inline constexpr int kSweepsOfDepths = 8;
/// Nodes that settle as many groups, from which on the shifts are fitted for them: a fit takes about so many bounds.
inline constexpr int kVisitsWorthAFit = 8;
/// Of the shares that a fit is for: how much of them is spread evenly over a group, so that no choice weighs nothing.
inline constexpr double kSpread = 0.1;
/// Of the largest link between groups: what is none.
inline constexpr double kNothing = 1e-11;
/// What is added to blocks so that they have an inverse: of their mean eigenvalue, and of the matrix' largest entry.
inline constexpr double kLeastOfMean = 1e-7, kLeastOfLargest = 1e-9;
/// The multiple of the blocks to begin from, above the least that is positive definite: a factor and a share.
inline constexpr double kAboveLeast = 1.05, kAboveNothing = 1e-3;
/// Rows of a matrix that are summed at once: they stay in the first cache (128 rows of 32 numbers are 32 KiB).
inline constexpr int kRowsAtOnce = 128;
}  // namespace joint

}  // namespace bitplan::search::tuning
