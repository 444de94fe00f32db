"""Where the ready scenarios, policies and sweeps are found."""

from pathlib import Path

__all__ = ["configs_folder"]

_PACKAGE = Path(__file__).resolve().parent


def configs_folder() -> Path:
    """Return the folder that holds `scenarios/`, `policies/` and `sweeps/`.

    An installed package carries it inside (`churnsim/_configs`); a checkout, also when
    installed as editable, reads `configs/` beside the package.

    Raises:
        FileNotFoundError: Neither folder is there, so the installation is damaged.
    """
    places = (_PACKAGE / "_configs", _PACKAGE.parent / "configs")
    for place in places:
        if place.is_dir():
            return place
    looked = " and ".join(str(place) for place in places)
    raise FileNotFoundError(
        f"the ready scenarios must lie beside the code; none in {looked};"
        " install churnsim again"
    )
