package spike

import "math"

// logTail is the logarithm of the probability of n or more refusals where mean
// are expected and the variance is mean + dispersion × mean²: the negative
// binomial distribution, and Poisson's where dispersion is 0.
func logTail(n, mean, dispersion float64) float64 {
	switch {
	case n <= 0:
		return 0
	case mean <= 0:
		return math.Inf(-1)
	case n <= mean:
		return logUpper(n, mean, dispersion)
	}
	return min(logMass(n, mean, dispersion)+logSeries(n, mean, dispersion), 0)
}

// logUpper is logTail by way of the other tail, whose series is the short one.
func logUpper(n, mean, dispersion float64) float64 {
	// P(N < n), from n-1 downwards: each term is the one above it divided by the
	// ratio of the two.
	sum, term := 1.0, 1.0
	for i := n - 1; i >= 1 && term > sum*1e-12; i-- {
		term /= ratio(i, mean, dispersion)
		sum += term
	}
	below := math.Exp(logMass(n-1, mean, dispersion)) * sum
	return math.Log(max(1-below, 1e-300))
}

// ratio is P(i)/P(i-1).
func ratio(i, mean, dispersion float64) float64 {
	return mean * (1 + dispersion*(i-1)) / (i * (1 + dispersion*mean))
}

// logSeries is the logarithm of P(N ≥ n)/P(n), for n above the mean, where the
// terms fall ever faster or ever slower towards a geometric series: what is left
// is as good as one long before it is nothing.
func logSeries(n, mean, dispersion float64) float64 {
	const (
		most  = 20_000
		exact = 1e-7
	)
	sum, term, last := 1.0, 1.0, 0.0
	for i := n + 1; i <= n+most; i++ {
		r := ratio(i, mean, dispersion)
		term *= r
		sum += term
		next := ratio(i+1, mean, dispersion)
		all := sum + term*next/(1-next)
		if math.Abs(all-last) <= exact*all {
			return math.Log(all)
		}
		last = all
	}
	return math.Log(last)
}

// logMass is the logarithm of P(n).
func logMass(n, mean, dispersion float64) float64 {
	logFactorial, _ := math.Lgamma(n + 1)
	// Below this the gamma functions of 1/dispersion would cancel each other out.
	if dispersion < 1e-9 {
		return n*math.Log(mean) - mean - logFactorial
	}
	k := 1 / dispersion
	return rising(k, n) - logFactorial + n*(math.Log(mean)-math.Log(k+mean)) - k*math.Log1p(mean/k)
}

// rising is log Γ(k+n) - log Γ(k), also where k is so large that the difference
// would be lost.
func rising(k, n float64) float64 {
	if k < 1e6 {
		a, _ := math.Lgamma(k + n)
		b, _ := math.Lgamma(k)
		return a - b
	}
	// Stirling: the remainder is below 1/(12 k).
	return (k+n-0.5)*math.Log1p(n/k) + n*math.Log(k) - n
}
