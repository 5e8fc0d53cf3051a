"""Prices from outside, and the pictures' 24 hours."""

from datetime import timedelta

from pydantic import BaseModel, Field, SecretStr

from bot.settings.kinds import Names, Seconds, address_of, runbook_name


class PriceSettings(BaseModel):
    """Prices from outside, and the pictures' 24 hours."""

    tradecraft_url: str = Field(
        default="https://api.tradecraft.exchange/v1/ratio/CC/USDCx", description="The first price source."
    )
    temple_url: str = Field(
        default="https://api.temple.exchange/v1/price/Amulet/USDCx", description="The fallback price source."
    )
    temple_jwt: SecretStr = Field(
        default=SecretStr(""), validation_alias=runbook_name("TEMPLE_JWT"), description="Temple's bearer token."
    )
    coingecko_url: str = Field(default="https://api.coingecko.com", description="A price source of nobody's own.")
    coingecko_coin: str = Field(default="canton-network", description="The collateral by CoinGecko's name.")
    chainlink_feed: str = address_of("CHAINLINK_FEED", "The collateral's Chainlink feed in USD, to compare with.")
    oracle_feeder: str = Field(
        default="",
        description="The deployment that writes the oracle's prices, for *Pause oracle updates*; by hand when unset.",
    )
    oracle_source_setting: str = Field(
        default="",
        pattern=r"^([^/\s]+/[A-Za-z_]\w*)?$",
        description="The environment variable that says where prices come from; switched by hand when unset.",
        examples=["musd-relay/PRICE_SOURCE"],
    )
    oracle_sources: Names = Field(
        default=("tradecraft", "temple"), description="What it can be set to: the first source, then its fallbacks."
    )
    liquidation_gas_gwei: int = Field(
        default=120, gt=0, description="The most our liquidation bot pays for gas, in gwei (Liquidation Surge, step 3)."
    )
    prometheus_url: str = Field(
        default="", description="Prometheus, where the pictures' 24 hours come from; the bot's own samples when unset."
    )
    sample_every: Seconds = Field(
        default=timedelta(minutes=1), gt=timedelta(0), description="Seconds between two samples of the readings."
    )
    liquidation_surge: int = Field(default=20, gt=0, description="Liquidations within ten minutes that are a surge.")

    @property
    def not_offered(self) -> frozenset[str]:
        """The kinds of actions on the oracle that nothing is configured for: a verdict then hands over."""
        pausing = () if self.oracle_feeder else ("pause-oracle-updates", "resume-oracle-updates")
        return frozenset((*pausing, *(() if self.oracle_source_setting else ("switch-oracle-source",))))
