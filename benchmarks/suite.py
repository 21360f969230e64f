"""Functions of scientific computing whose Jacobians others measure too, each as Python over any library of functions.

They are those of the AlphaGrad suite (J. Lohoff, E. Neftci, "Optimizing Automatic Differentiation with Deep Reinforcement
Learning", 2024, arXiv 2406.05027), written down anew from the literature that each names, so that the numbers of
operations differ from those of the suite. A function takes a library (`m.sqrt`, `m.sin`, ...) and numbers, and returns a
list of numbers.
"""

import math
from types import SimpleNamespace


def lighthouse(m, x):
    """Where the beam of a lighthouse meets the quay: A. Griewank, A. Walther, Evaluating Derivatives, 2008, section 2.1."""
    nu, gamma, omega, t = x
    s = m.tan(omega * t)
    y1 = nu * s / (gamma - s)
    return [y1, gamma * y1]


def helmholtz(m, x):
    """The ideal part of the Helmholtz energy of a mixture, by component: Griewank, Walther, as above, section 1."""
    z = 1 - sum(x[1:], x[0])
    return [x_i * m.log(x_i / z) for x_i in x]


def human_heart_dipole(m, x):
    """The residuals of a dipole model of the heart: B. Averick, R. Carter, J. More, G. Xue, The MINPACK-2 Test Problem
    Collection, Argonne 1992, section 2.6.
    """
    a, b, c, d, t, u, v, w = x
    t2, u2, v2, w2 = t * t, u * u, v * v, w * w
    tv, uw = t2 - v2, u2 - w2
    t3, v3, u3, w3 = t * (t2 - 3 * v2), v * (v2 - 3 * t2), u * (u2 - 3 * w2), w * (w2 - 3 * u2)
    return [
        a + b - 0.485,
        c + d + 0.0019,
        t * a + u * b - v * c - w * d + 0.0581,
        v * a + w * b + t * c + u * d - 0.015,
        a * tv - 2 * c * t * v + b * uw - 2 * d * u * w - 0.105,
        c * tv + 2 * a * t * v + d * uw + 2 * b * u * w - 0.0406,
        a * t3 + c * v3 + b * u3 + d * w3 - 0.167,
        c * t3 - a * v3 + d * u3 - b * w3 + 0.399,
    ]


def propane_combustion(m, x):
    """The equilibrium of the combustion of propane in air: The MINPACK-2 Test Problem Collection, as above, section 2.7."""
    x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11 = x
    p, R = 40.0, 10.0
    k5, k6, k7, k8, k9, k10 = 1.930e-1, 2.597e-3, 3.448e-3, 1.799e-5, 2.155e-4, 3.846e-5
    q = p / x11
    r, r1, r2, r3, r4 = m.sqrt(q), m.sqrt(x1), m.sqrt(x2), m.sqrt(x3), m.sqrt(x4)
    return [
        x1 + x4 - 3,
        2 * x1 + x2 + x4 + x7 + x8 + x9 + 2 * x10 - R,
        2 * x2 + 2 * x5 + x6 + x7 - 8,
        2 * x3 + x5 - 4 * R,
        k5 * x2 * x4 - x1 * x5,
        k6 * r2 * r4 - r1 * x6 * r,
        k7 * r1 * r2 - r4 * x7 * r,
        k8 * x1 - x4 * x8 * q,
        k9 * x1 * r3 - x4 * x9 * r,
        k10 * x1 * x1 - x4 * x4 * x10 * q,
        x11 - (x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10),
    ]


def black_scholes(m, x):
    """The prices of a call and of a put: F. Black, M. Scholes, Journal of Political Economy 81, 1973, equation 13."""
    S, K, r, sigma, T = x
    spread = sigma * m.sqrt(T)
    d1 = (m.log(S / K) + (r + sigma * sigma / 2) * T) / spread
    d2 = d1 - spread
    discounted = K * m.exp(-r * T)
    first, second = ((1 + m.erf(d * 0.5**0.5)) / 2 for d in (d1, d2))
    call = S * first - discounted * second
    return [call, call - S + discounted]


def kerr_sen(m, x):
    """The metric of a rotating charged black hole: A. Sen, Physical Review Letters 69, 1992; Boyer-Lindquist coordinates.

    Of radius, angle, mass, rotation and dilaton charge: g_tt, g_rr, g_theta_theta, g_phi_phi, g_t_phi.
    """
    r, theta, mass, a, b = x
    sine, cosine = m.sin(theta), m.cos(theta)
    s2, a2, rr = sine * sine, a * a, r * (r + b)
    sigma, pull = rr + a2 * cosine * cosine, 2 * mass * r
    delta, drag = rr - pull + a2, pull / sigma
    return [drag - 1, sigma / delta, sigma, (rr + a2 + drag * a2 * s2) * s2, -a * drag * s2]


def robot_arm(m, x):
    """Position and angles (z-y-z) of the hand of a PUMA 560: J. Craig, Introduction to Robotics, 3rd edition, 2005, section 3.7."""
    a2, a3, d3, d4 = 0.4318, 0.0203, 0.1244, 0.4318
    (c1, s1), (c2, s2), (_, _), (c4, s4), (c5, s5), (c6, s6) = ((m.cos(q), m.sin(q)) for q in x)
    c23, s23 = m.cos(x[1] + x[2]), m.sin(x[1] + x[2])
    forearm = a2 * c2 + a3 * c23 - d4 * s23
    px, py, pz = c1 * forearm - d3 * s1, s1 * forearm + d3 * c1, -a3 * s23 - a2 * s2 - d4 * c23
    r31 = -s23 * (c4 * c5 * c6 - s4 * s6) - c23 * s5 * c6
    r32 = s23 * (c4 * c5 * s6 + s4 * c6) + c23 * s5 * s6
    wrist = c23 * c4 * s5 + s23 * c5
    r13, r23 = -c1 * wrist - s1 * s4 * s5, -s1 * wrist + c1 * s4 * s5
    r33 = s23 * c4 * s5 - c23 * c5
    beta = m.atan2(m.sqrt(r31 * r31 + r32 * r32), r33)
    return [px, py, pz, m.atan2(r23, r13), beta, m.atan2(r32, -r31)]


def roe_flux(m, x):
    """The numerical flux between two states of a gas: P. Roe, Journal of Computational Physics 43, 1981; E. Toro, Riemann
    Solvers and Numerical Methods for Fluid Dynamics, 3rd edition, 2009, section 11.2.2.
    """
    gamma = 1.4
    (rho_l, mom_l, e_l), (rho_r, mom_r, e_r) = x[:3], x[3:]
    u_l, u_r = mom_l / rho_l, mom_r / rho_r
    p_l, p_r = ((gamma - 1) * (e - momentum * u / 2) for e, momentum, u in ((e_l, mom_l, u_l), (e_r, mom_r, u_r)))
    h_l, h_r = (e_l + p_l) / rho_l, (e_r + p_r) / rho_r
    w_l, w_r = m.sqrt(rho_l), m.sqrt(rho_r)
    w = w_l + w_r
    u, h = (w_l * u_l + w_r * u_r) / w, (w_l * h_l + w_r * h_r) / w
    a2 = (gamma - 1) * (h - u * u / 2)
    a = m.sqrt(a2)
    d1, d2, d3 = rho_r - rho_l, mom_r - mom_l, e_r - e_l
    second = (gamma - 1) / a2 * (d1 * (h - u * u) + u * d2 - d3)
    first = (d1 * (u + a) - d2 - a * second) / (2 * a)
    third = d1 - (first + second)
    s1, s2, s3 = first * m.abs(u - a), second * m.abs(u), third * m.abs(u + a)
    flux_l, flux_r = (mom_l, mom_l * u_l + p_l, u_l * (e_l + p_l)), (mom_r, mom_r * u_r + p_r, u_r * (e_r + p_r))
    waves = (s1 + s2 + s3, s1 * (u - a) + s2 * u + s3 * (u + a), s1 * (h - u * a) + s2 * u * u / 2 + s3 * (h + u * a))
    return [(left + right - wave) / 2 for left, right, wave in zip(flux_l, flux_r, waves, strict=True)]


def roe_flux_3d(m, x):
    """The same flux in three dimensions, in the direction of the first: Toro, as above, section 11.2.2.

    Of density, three components of the momentum and energy to the left, and of the same to the right.
    """
    gamma = 1.4
    left, right = _gas(m, gamma, x[:5]), _gas(m, gamma, x[5:])
    w = left.root + right.root
    u, v, s, h = (
        (left.root * a + right.root * b) / w
        for a, b in zip((*left.velocity, left.h), (*right.velocity, right.h), strict=True)
    )
    speed2 = u * u + v * v + s * s
    a2 = (gamma - 1) * (h - speed2 / 2)
    a = m.sqrt(a2)
    d1, d2, d3, d4, d5 = (b - c for b, c in zip(x[5:], x[:5], strict=True))
    third, fourth = d3 - v * d1, d4 - s * d1
    second = (gamma - 1) / a2 * (d1 * (h - u * u) + u * d2 - (d5 - third * v - fourth * s))
    first = (d1 * (u + a) - d2 - a * second) / (2 * a)
    fifth = d1 - (first + second)
    slow, middle, fast = m.abs(u - a), m.abs(u), m.abs(u + a)
    first, second, third, fourth, fifth = first * slow, second * middle, third * middle, fourth * middle, fifth * fast
    among = first + second + fifth
    waves = (
        among,
        first * (u - a) + second * u + fifth * (u + a),
        among * v + third,
        among * s + fourth,
        first * (h - u * a) + second * speed2 / 2 + third * v + fourth * s + fifth * (h + u * a),
    )
    return [(b + c - wave) / 2 for b, c, wave in zip(left.flux, right.flux, waves, strict=True)]


def _gas(m, gamma, state):
    rho, *momentum, energy = state
    velocity = [p / rho for p in momentum]
    first, *others = (p * v for p, v in zip(momentum, velocity, strict=True))
    kinetic = sum(others, first) / 2
    pressure = (gamma - 1) * (energy - kinetic)
    total = energy + pressure
    u = velocity[0]
    flux = (momentum[0], momentum[0] * u + pressure, momentum[1] * u, momentum[2] * u, u * total)
    return SimpleNamespace(root=m.sqrt(rho), velocity=velocity, h=total / rho, flux=flux)


def black_scholes_jacobian(m, x):
    """The five derivatives of the price of a call, as the sweep in reverse computes them: its Jacobian holds second derivatives.

    The price is that of F. Black, Journal of Financial Economics 3, 1976, with the forward price of the stock.
    """
    S, K, r, sigma, T = x
    root, growth, discount = m.sqrt(T), m.exp(r * T), m.exp(-r * T)
    forward, spread, variance = growth * S, sigma * root, sigma * sigma / 2
    ratio = forward / K
    upper = m.log(ratio) + variance * T
    d1 = upper / spread
    d2 = d1 - spread
    first, second = ((1 + m.erf(d * 0.5**0.5)) / 2 for d in (d1, d2))
    gain = forward * first - K * second
    of_d2 = -discount * K * _density(m, d2)
    of_d1 = discount * forward * _density(m, d1) + of_d2
    of_upper = of_d1 / spread
    of_spread = -of_d1 * d1 / spread - of_d2
    of_ratio = of_upper / ratio
    of_forward = discount * first + of_ratio / K
    of_growth = of_forward * S
    of_rT = of_growth * growth - gain * discount
    of_K = -discount * second - of_ratio * ratio / K
    of_sigma = of_spread * root + of_upper * T * sigma
    of_T = of_rT * r + of_upper * variance + of_spread * sigma / (2 * root)
    return [of_forward * growth, of_K, of_rT * T, of_sigma, of_T]


def _density(m, d):
    return m.exp(-d * d / 2) * (2 * math.pi) ** -0.5


# Each with a point at which it is defined, and where no number is 0 by accident.
SUITE = {
    "Lighthouse": (lighthouse, [1.3, 2.1, 0.7, 0.4]),
    "Helmholtz": (helmholtz, [0.15, 0.2, 0.25, 0.1]),
    "KerrSenn": (kerr_sen, [3.1, 0.8, 1.0, 0.6, 0.3]),
    "BlackScholes": (black_scholes, [100.0, 95.0, 0.03, 0.25, 0.8]),
    "PropaneCombustion": (propane_combustion, [0.6, 3.1, 18.5, 2.3, 0.7, 0.4, 0.2, 0.3, 0.9, 0.5, 28.0]),
    "HumanHeartDipole": (human_heart_dipole, [0.3, 0.2, -0.1, 0.4, 0.9, -0.7, 0.5, -0.6]),
    "RobotArm_6DOF": (robot_arm, [0.3, -0.6, 0.8, 0.4, 0.9, -0.2]),
    "RoeFlux_1d": (roe_flux, [1.0, 0.4, 2.6, 0.7, 0.5, 1.9]),
    "RoeFlux_3d": (roe_flux_3d, [1.0, 0.4, 0.3, -0.2, 2.6, 0.7, 0.5, -0.1, 0.25, 1.9]),
    "BlackScholes_Jacobian": (black_scholes_jacobian, [100.0, 95.0, 0.03, 0.25, 0.8]),
}
