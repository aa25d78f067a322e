"""What is known of single systems that their rows in the table of exponents do not say.

Each sentence was checked by a run of its own, named where its settings differ from the table's.
"""

_ISLANDS = "Conservative: islands of regular motion lie in a chaotic sea, and the catalogued state is near both."
_TORUS = "A torus: two exponents are zero."
_CYCLE = "A cycle at the catalogued parameters."

REMARKS: dict[str, str] = {
    "ArnoldBeltramiChildress": _ISLANDS,
    "ArnoldWeb": _ISLANDS,
    "BickleyJet": "Regular: what grows is the shear of the flow, and the exponent falls with the time of averaging.",
    "Bouali2": "Conservative and weakly chaotic: in a thousand turns a trajectory sees a part of its phase space.",
    "CaTwoPlusQuasiperiodic": _TORUS,
    "CircadianRhythm": f"{_TORUS} One is the phase of the light, which does not lock the rhythm.",
    "Coullet": "The wide chaotic set near the catalogued state is left after some hundreds of turns for a narrow one, on "
    "which all trajectories have 0.0136 ± 0.0001 (transient and average of 4000 periods). Data sets see the wide one.",
    "DequanLi": f"{_CYCLE[:-1]}; its chaos is a transient of less than 200 turns.",
    "DoublePendulum": "As dysts writes it, the product of the two momenta has half its factor in the force, so the "
    "flow conserves no energy and its divergence is not zero: chaos dies out in some hundreds of turns. The pendulum of "
    "`systems/double_pendulum.py` is the right one.",
    "FluidTrampoline": "Chaos is a transient: after 4000 to 6000 periods 15 of 16 trajectories are on a cycle.",
    "ForcedFitzHughNagumo": _CYCLE,
    "ForcedVanDerPol": _CYCLE,
    "GlycolyticOscillation": "A cycle and a chaotic attractor, with an exponent of 0.0069, lie side by side; after 4000 "
    "to 6000 periods the numbers are the same.",
    "HenonHeiles": _ISLANDS,
    "HyperLu": "The chaotic set is not an attractor: trajectories leave it for infinity at all times, most of them within "
    "2000 periods. They are counted until they leave.",
    "IsothermalChemical": "A cycle and a chaotic attractor, with an exponent of 0.11, lie side by side; after 4000 to 6000 "
    "periods the numbers are the same.",
    "KawczynskiStrizhak": _CYCLE,
    "LiuChen": "Chaos is kept alive by errors. Trajectories pass the invariant x axis with y and z near 1e-16; with an "
    "absolute tolerance of 1e-10, rounding decides on which side they leave, and chaos lasts as long as one likes: the "
    "second method and the data sets have it. With 1e-20 and 1e-40 trajectories end on a cycle in some hundreds of turns.",
    "MackeyGlass": f"{_CYCLE[:-1]}: chaos begins at tau = 16.8, and dysts has 16.",
    "NoseHoover": _ISLANDS,
    "PanXuZhou": "Stable points of rest. Chaos is a transient, as in the Lorenz equations below the onset of chaos, of "
    "some hundreds of turns; data sets see it.",
    "SprottA": "The equations of NoseHoover with a = 1; the catalogued state is on an island of regular motion, where vectors grow by "
    "shear alone.",
    "SprottDelay": "The phase diffuses from well to well, and how long a trajectory stays differs: the errors are wide.",
    "StickSlipOscillator": f"{_CYCLE[:-1]}. The belt takes the mass along for part of the time: the flow slides along a "
    "surface, where one direction is lost altogether (minus infinity). Its second method needed the coarse setting "
    "(relative tolerance 1e-7, distance 1e-3).",
    "SwingingAtwood": "Conservative, and the initial conditions differ in energy: so do their exponents, from 0.07 to 0.26.",
    "Torus": "Written as a function of time, not of the state: tangent vectors do not change, and all exponents are zero.",
    "Tsucs2": _TORUS,
}
