"""Signals of the train loss: levels, noise, trend, spikes."""

from __future__ import annotations

import math

import numpy as np

from lossmon.diagnosis.curve_stats import (
    CAP_WINDOW,
    CurveStats,
    cached,
    log_ratio,
    median,
    median_of_few,
)
from lossmon.diagnosis.signals.run_curves import RunCurves
from lossmon.fast_dataclass import dataclass

START_SHARE = 0.03
"""Share of the run whose mean is the level a loss starts from: long enough to average the noise
of a flat run, short enough to keep the height of a steep one."""

MEDIAN_ERROR = 1.25
"""Standard error of a median over that of a mean, for normal noise."""

TREND_ERROR = 12.0
"""Variance of the fall along a straight line through n points, in variances of a point over n."""

FIRST_FEW = 3
"""First train points that show where the loss came from before the rate was warm."""

NOW_SHARE = 0.1
"""Share of the run whose mean is its present level."""

LEVEL_SHARE = 12
"""Part of the run that makes a level, as far as `LEVEL_POINTS`: a bad batch leaves three or four
points high and goes."""

MOST_LEVEL_POINTS = 20
"""Points of a level at most, however noisy they are."""

LEVEL_POINTS = 12.0
"""Points of a level. Half of them must be high: more than a spike has."""

BACK = 1.1
"""Times its lowest level so far at which a loss is back from a rise."""


class TrainSignals(RunCurves):
    """What the train loss shows by itself."""

    @cached
    def start(self) -> float:
        """Level that the train loss started from.

        The mean over the first part of the run sinks as the run grows; where the first points
        were clearly higher, they decide.
        """
        curve = self.capped_train
        if curve is None:
            return math.nan
        level = curve.mean(self.at(0), self.at(START_SHARE))
        for n, middle in self._state.first_medians:
            error = 2 * MEDIAN_ERROR * self.late_noise / math.sqrt(n)
            level = max(level, (middle + self.offset) * (1 - error))
        return level

    @cached
    def now(self) -> float:
        """Present level of the train loss."""
        curve = self.capped_train
        return math.nan if curve is None else curve.mean(self.at(1 - NOW_SHARE), self.at(1))

    @cached
    def drop(self) -> float:
        """Natural log of the first train level over the present one."""
        return log_ratio(max(self.start, self._floor), max(self.now, self._floor))

    @cached
    def drop_error(self) -> float:
        """Standard error of `drop` from the noise of single train points."""
        if self.capped_train is None:
            return 0.0
        first = max(self.capped_train.count(self.at(0), self.at(START_SHARE)), 1.0)
        now = max(self.capped_train.count(self.at(1 - NOW_SHARE), self.at(1)), 1.0)
        return self.late_noise * math.sqrt(1 / first + 1 / now)

    @cached
    def late_noise(self) -> float:
        """Relative standard deviation of single train points over the second half."""
        curve = self.capped_train
        if curve is None:
            return 0.0
        level = curve.mean(self.at(0.5), self.at(1))
        return self.train_noise(0.5) / level if level > 0 else 0.0

    @cached
    def noise_freedom(self) -> float:
        """Degrees of freedom of that noise: half of the points, fewer for their differences."""
        return self.train.points / 3 if self.train is not None else 1.0

    def train_noise(self, share: float) -> float:
        """Standard deviation of single train points from a share of the run on."""
        return 0.0 if self.capped_train is None else self.capped_train.noise(self.at(share))

    @cached
    def late_gain(self) -> tuple[float, float]:
        """Log fall of the train loss from the third to the last quarter, and its standard error."""
        curve = self.capped_train
        if curve is None or curve.points < 4:
            return 0.0, math.inf
        third = curve.mean(self.at(0.5), self.at(0.75))
        last = curve.mean(self.at(0.75), self.at(1))
        each = max(curve.count(self.at(0.75), self.at(1)), 1.0)
        gain = log_ratio(max(third, self._floor), max(last, self._floor))
        return gain, self.late_noise * math.sqrt(2 / each)

    @cached
    def trend(self) -> tuple[float, float]:
        """Log fall of the train loss by a straight line through all of it, and its error."""
        curve = self.capped_train
        if curve is None or curve.points < 4 or not curve.span > 0:
            return 0.0, math.inf
        logs = np.log(np.maximum(curve.y, self._floor))
        along = (curve.x - curve.x.mean()) / curve.span
        slope = float((along * (logs - logs.mean())).sum() / (along**2).sum())
        return -slope, self.late_noise * math.sqrt(TREND_ERROR / curve.points)

    @cached
    def first_levels(self) -> tuple[tuple[float, float], ...]:
        """Level and its relative standard error of the first train point, of two and of a few.

        A rate that is far too high wrecks a model within a few points, or within one.
        """
        values = [value + self.offset for _, value in self._state.first_points[:FIRST_FEW]]
        if len(values) < FIRST_FEW:
            return ()
        noise = self.late_noise
        return (
            (values[0], noise),
            (sum(values[:2]) / 2, noise / math.sqrt(2)),
            (sorted(values)[FIRST_FEW // 2], MEDIAN_ERROR * noise / math.sqrt(FIRST_FEW)),
        )

    @cached
    def scatter(self) -> float:
        """Relative standard deviation of single train points up to the lowest.

        The first third always counts: one low point among the first is no evidence.
        """
        if self.train is None:
            return 0.0
        end = max(int(self.train.y.argmin()) + 1, len(self.train) // 3)
        return self.train.scatter(end if end >= 6 else len(self.train))

    @cached
    def spike(self) -> Spike | None:
        """The newest spike of the train loss."""
        return None if self.train is None else newest_spike(self.train)

    @cached
    def spike_bursts(self) -> int:
        """Separate bursts of high points in the second half of the run."""
        if self.train is None or self.spike is None:
            return 0
        level = (self.spike.peak + self.spike.before) / 2
        high = self.train.highs[self.train.x > self.at(0.5)] > level
        return int(np.count_nonzero(high[1:] & ~high[:-1]))

    @cached
    def level_width(self) -> int:
        """Points that make a level: by the noise, as far as the run is long enough."""
        train = self.train
        assert train is not None
        least = int(min(max(train.points / LEVEL_SHARE, 3.0), LEVEL_POINTS))
        most = min(MOST_LEVEL_POINTS, train.points // 6)
        if most <= least:
            return least
        return max(least, min(int((10 * min(self.scatter, 1.0)) ** 2), most))

    @cached
    def present_level(self) -> float:
        """Present level of the train loss: the median of its newest points."""
        return median_of_few([value for _, value in self.recent[-self.level_width :]])

    @cached
    def level_error(self) -> float:
        """Relative standard error of the median of one level."""
        noise = min(max(self.scatter, self.late_noise), 1.0)
        return MEDIAN_ERROR * noise / math.sqrt(self.level_width)

    @cached
    def level_chance(self) -> float:
        """Log by which the lowest of all levels is below the usual one by chance."""
        assert self.train is not None
        levels = max(self.train.points / self.level_width, 2.0)
        return self.level_error * math.sqrt(2 * math.log(levels))

    @cached
    def largest_recovered_rise(self) -> float:
        """Log of the largest rise of the train loss above its best that it came back from."""
        train = self.capped_train
        assert train is not None
        if len(train) < CAP_WINDOW:
            return 0.0
        rise = train.around / np.maximum(np.minimum.accumulate(train.around), 1e-300)
        back = int((rise < BACK).nonzero()[0][-1])
        return math.log(max(float(rise[:back].max(initial=1.0)), 1.0))

    @cached
    def alarm(self) -> float:
        """Raw train loss above which a single point calls for a judgement."""
        curve = self.train
        if curve is None or curve.points < 4:
            return math.inf
        tail = [value for _, value in self.recent[-16:]]
        usual = median_of_few(tail)
        spread = median_of_few([abs(value - usual) for value in tail])
        return max(1.4 * usual, usual + 6 * 1.4826 * spread) - self.offset


@dataclass(frozen=True, slots=True)
class Spike:
    """The newest burst of train points far above their surroundings.

    Attributes:
        step: Where it peaked.
        last: Last step of the burst.
        peak: Its highest point.
        before: Level before it.
    """

    step: int
    last: float
    peak: float
    before: float


SPIKE_SCATTER = 7.0
"""Height of a spike in robust standard deviations of log loss: OLMo skips a batch at six,
and counts seven as a spike."""

SPIKE_TAIL = 3.5
"""The same in units of the height that one point in ten reaches: noise with a long tail, as of
small batches of easy examples, is not a spike."""

SPIKE_WINDOW = 64
"""Newest bins whose scatter counts: it grows as the loss of a small batch nears zero."""

BEFORE = 16
"""Bins before a spike that give the level it has to come back to."""

SPIKE_LEAST = math.log(1.5)
"""Least log height of a spike: half above the level is not a spike."""


def newest_spike(train: CurveStats) -> Spike | None:
    """The newest spike of a train loss, None if there is none."""
    if len(train) < 10:
        return None
    around = train.around
    heights = np.log(np.maximum(train.highs, 1e-300) / np.maximum(around, 1e-300))
    late = heights[-SPIKE_WINDOW:]
    usual = median(late)
    if not heights.max() > usual + SPIKE_LEAST:
        # Most curves end here: nothing stands out, whatever the scatter.
        return None
    scatter = 1.4826 * median(np.abs(late - usual))
    common = float(np.sort(late)[int(0.9 * len(late))]) - usual
    limit = max(SPIKE_SCATTER * scatter, SPIKE_TAIL * common, SPIKE_LEAST)
    at = np.flatnonzero(heights > usual + limit)
    at = at[at >= 3]
    if not len(at):
        return None
    end = begin = int(at[-1])
    while begin - 1 in at:
        begin -= 1
    top = begin + int(train.highs[begin : end + 1].argmax())
    before = median(train.y[max(begin - BEFORE, 0) : max(begin - 1, 1)])
    return Spike(train.high_step(top), float(train.x[end]), float(train.highs[top]), before)
