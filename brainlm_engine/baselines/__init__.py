"""What every model is compared with. All take (parcels, frames) with NaN where hidden and return it filled."""

from brainlm_engine.baselines.pca import PCAFit, pca
from brainlm_engine.baselines.ridge import RidgeFit, covariance_of_people, ridge
from brainlm_engine.baselines.temporal import interpolate, krige, mean

__all__ = ["PCAFit", "RidgeFit", "covariance_of_people", "interpolate", "krige", "mean", "pca", "ridge"]
