// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {PracticePausable} from "./PracticePausable.sol";

/// Staked mUSD. With a decimals offset of 3 a share has 21 decimals: 1e18 of them are a thousandth of one.
contract SMUSD is ERC4626, PracticePausable {
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    bytes32 public constant YIELD_ROLE = keccak256("YIELD_ROLE");
    /// The most a single report may take off the share price, in basis points.
    uint256 public constant MAX_DECREASE_BPS = 1_000;

    uint8 private immutable _offset;

    event YieldDistributed(address indexed from, uint256 amount);
    event LossReported(address indexed strategy, uint256 amount);

    error SharePriceDecreaseTooLarge(uint256 amount, uint256 most);

    constructor(IERC20 musd, uint8 offset_) ERC20("Staked Minted USD", "smUSD") ERC4626(musd) {
        _offset = offset_;
    }

    function distributeYield(uint256 amount) external onlyRole(YIELD_ROLE) {
        IERC20(asset()).transferFrom(msg.sender, address(this), amount);
        emit YieldDistributed(msg.sender, amount);
    }

    /// Write off what `strategy` lost; the loss goes back to whoever settles it.
    function reportLoss(address strategy, uint256 amount) external onlyRole(YIELD_ROLE) {
        uint256 most = totalAssets() * MAX_DECREASE_BPS / 10_000;
        if (amount > most) revert SharePriceDecreaseTooLarge(amount, most);
        IERC20(asset()).transfer(msg.sender, amount);
        emit LossReported(strategy, amount);
    }

    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    function unpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    /// Take assets out as an exploit would: no report, and no cap on how much.
    function practiceDrain(address to, uint256 amount) external onlyRole(PRACTICE_ROLE) {
        IERC20(asset()).transfer(to, amount);
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares)
        internal
        override
        whenNotPaused
    {
        super._deposit(caller, receiver, assets, shares);
    }

    function _withdraw(address caller, address receiver, address owner, uint256 assets, uint256 shares)
        internal
        override
        whenNotPaused
    {
        super._withdraw(caller, receiver, owner, assets, shares);
    }

    function _decimalsOffset() internal view override returns (uint8) {
        return _offset;
    }
}
