"""The numbers of the simulator: how strong each part of a simulated recording is.

The defaults were tuned so that group mean functional connectivity (FC), its spread, its network and homotopic
structure, the lag-1 autocorrelation and the differences between people are near those of real resting recordings;
``resources/help/simulated-cohort.md`` says how near.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

#: Order of the network codes used inside the simulator: seven cortical networks, then the rest of the brain.
NETWORKS = (
    "Visual", "Somatomotor", "Dorsal attention", "Salience / ventral attention", "Limbic", "Frontoparietal", "Default",
    "Subcortex", "Cerebellum",
)  # fmt: skip
VISUAL, SOMATOMOTOR, DORSAL, SALIENCE, LIMBIC, FRONTOPARIETAL, DEFAULT, SUBCORTEX, CEREBELLUM = range(9)

REFERENCE_TR_S = 0.72
AGE_MEAN, AGE_SD = 63.0, 7.6


@dataclass(frozen=True)
class SimulationParameters:
    """Strengths of the parts of a simulated recording. Signal amplitudes are relative to the coupled neural part.

    Attributes
    ----------
    population : seed of everything all people share (graph heterogeneity, vascular delays, trait axes)
    decay_mm : length over which structural coupling falls by e, at the spacing of the MNI-424 parcels
    homotopic : weight between a parcel and its mirror parcel
    within_network, between_networks : weight per parcel pair of the network blocks, at 424 parcels
    coupling : global coupling, share of the largest stable value (0..1)
    tau_s, patch_tau_s, latent_tau_s : time constants of coupled activity, of patches and of network latents, seconds
    coupled, latent, global_signal, local : amplitudes of the neural parts; local: patches a few centimetres wide
    thermal : standard deviation of the noise of one frame at TR 0.72 s
    noise_smooth : share of the thermal noise that neighbouring parcels have in common (scans are smoothed)
    physiology, drift : amplitudes of heartbeat and breathing, and of slow scanner drift
    person_sd : log-standard deviation of a person's own coupling
    envelope_sd : log-standard deviation of the slow waxing and waning of networks
    effect_age, effect_sex, effect_clinical : multipliers of what the traits do; age at 1 is very easy to find
    global_heterogeneity, global_person, global_map : spread of the global signal over parcels, people, own maps
    graph_heterogeneity : log-standard deviation of the group's coupling
    anticorrelation : strength of attention networks against default network
    limbic_noise : noise multiplier of the limbic network (signal dropout)
    topography, topography_sharpness : how far a person's networks differ from the group map, and how crisp they are
    signal_scale : fraction of the baseline that one unit of signal is
    """

    population: int = 2024
    decay_mm: float = 4.754
    homotopic: float = 22.21
    within_network: float = 0.1625
    between_networks: float = 0.01224
    coupling: float = 0.9674
    tau_s: float = 0.09456
    patch_tau_s: float = 1.152
    latent_tau_s: float = 2.29
    coupled: float = 1.0
    latent: float = 0.1565
    global_signal: float = 0.5123
    local: float = 0.8436
    thermal: float = 1.168
    noise_smooth: float = 0.2435
    physiology: float = 0.224
    drift: float = 0.22
    person_sd: float = 0.3636
    envelope_sd: float = 0.35
    effect_age: float = 0.7
    effect_sex: float = 1.0
    effect_clinical: float = 1.0
    global_heterogeneity: float = 0.173
    global_person: float = 0.1719
    global_map: float = 1.076
    graph_heterogeneity: float = 0.0906
    anticorrelation: float = 0.7904
    limbic_noise: float = 1.9
    topography: float = 0.6831
    topography_sharpness: float = 5.414
    signal_scale: float = 0.0048

    def as_dict(self) -> dict[str, float]:
        """Return the numbers for a file that says how a cohort was made."""
        return asdict(self)


def per_network(*values: float) -> NDArray[np.float64]:
    """Return one number per network code, in the order of :data:`NETWORKS`."""
    if len(values) != len(NETWORKS):
        raise ValueError(f"{len(values)} numbers for {len(NETWORKS)} networks")
    return np.array(values, dtype=np.float64)


# fmt: off
#                                     Vis   Som   DAN   Sal   Lim   FPN   DMN   Sub   Cer
WITHIN_WEIGHT         = per_network( 1.25, 1.15, 1.00,  .90,  .35, 1.05,  .95,  .50,  .50)
HOMOTOPIC_WEIGHT      = per_network( 1.20, 1.30,  .90,  .90,  .50,  .80,  .80, 1.00,  .80)
NOISE                 = per_network( 1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.05, 1.50, 1.20)
GLOBAL_LOADING        = per_network( 1.05, 1.05, 1.05, 1.00,  .85,  .72,  .76,  .60,  .60)
LATENT_AMPLITUDE      = per_network( 1.00, 1.00,  .90,  .80,  .35,  .80,  .90,  .40,  .40)
OPPOSED               = per_network(  .15,  .10, 1.00,  .80,  .00,  .45, -1.0,  .00,  .00)
AGE_COUPLING          = per_network( -.10, -.12, -.10, -.20, -.05, -.14, -.24, -.04, -.04)
AGE_LATENT            = per_network( -.05, -.05, -.04, -.10,  .00, -.06, -.12,  .00,  .00)
DISTRESS_COUPLING     = per_network(  .00,  .00,  .00,  .20,  .20, -.10, -.20,  .12,  .00)
VISUAL_TASK_AMPLITUDE = per_network( 1.20,  .20,  .50,  .20,  .00,  .12, -.30,  .15,  .15)
# fmt: on

#: Affinity of pairs of networks, relative to ``between_networks``.
AFFINITY: tuple[tuple[int, int, float], ...] = (
    (VISUAL, DORSAL, 1.2), (VISUAL, SOMATOMOTOR, 0.9), (SOMATOMOTOR, DORSAL, 1.0), (SOMATOMOTOR, SALIENCE, 1.3),
    (DORSAL, SALIENCE, 1.0), (DORSAL, FRONTOPARIETAL, 0.8), (SALIENCE, FRONTOPARIETAL, 0.6),
    (FRONTOPARIETAL, DEFAULT, 0.7), (LIMBIC, DEFAULT, 0.8), (VISUAL, SALIENCE, 0.5), (SUBCORTEX, SALIENCE, 0.7),
    (SUBCORTEX, SOMATOMOTOR, 0.5), (SUBCORTEX, DEFAULT, 0.4), (SUBCORTEX, FRONTOPARIETAL, 0.4),
    (SUBCORTEX, LIMBIC, 0.4),
    (CEREBELLUM, FRONTOPARIETAL, 0.7), (CEREBELLUM, DEFAULT, 0.6), (CEREBELLUM, SOMATOMOTOR, 0.8),
    (CEREBELLUM, SALIENCE, 0.5), (CEREBELLUM, SUBCORTEX, 0.5), (DORSAL, DEFAULT, -0.5), (SALIENCE, DEFAULT, -0.5),
    (SOMATOMOTOR, FRONTOPARIETAL, -0.2),
)  # fmt: skip
