// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Practice} from "./Practice.sol";
import {Strategy} from "./Strategy.sol";

/// The reserves: USDC held here and the strategies' values. Everything counts in USDC's 6 decimals.
contract Treasury is Practice {
    bytes32 public constant PAYER_ROLE = keccak256("PAYER_ROLE");

    struct StrategyReport {
        string name;
        uint256 value;
        uint256 pendingYield;
        uint256 reportedLoss;
        uint256 lastReport;
        bool answers;
    }

    IERC20 private immutable _usdc;
    address[] private _strategies;
    uint256 public accruedFees;

    constructor(IERC20 usdc) {
        _usdc = usdc;
    }

    function asset() external view returns (address) {
        return address(_usdc);
    }

    /// Everything there is; a strategy that reverts counts as nothing.
    function totalValue() public view returns (uint256 total) {
        total = _usdc.balanceOf(address(this));
        for (uint256 i = 0; i < _strategies.length; i++) total += _valueOf(_strategies[i]);
    }

    /// The runbook's name for `totalValue`.
    function totalAssets() external view returns (uint256) {
        return totalValue();
    }

    /// `totalValue` without the fees that are the protocol's own.
    function totalValueNet() external view returns (uint256) {
        return totalValue() - accruedFees;
    }

    function getAllStrategies() external view returns (address[] memory) {
        return _strategies;
    }

    function getCurrentAllocations() external view returns (address[] memory strategies, uint256[] memory values) {
        strategies = _strategies;
        values = new uint256[](strategies.length);
        for (uint256 i = 0; i < strategies.length; i++) values[i] = _valueOf(strategies[i]);
    }

    function getStrategyReport(address strategy) external view returns (StrategyReport memory) {
        Strategy one = Strategy(strategy);
        return StrategyReport(
            one.name(), _valueOf(strategy), one.pendingYield(), one.reportedLoss(), one.lastReport(), !one.broken()
        );
    }

    function pay(address to, uint256 amount) external onlyRole(PAYER_ROLE) {
        _usdc.transfer(to, amount);
    }

    function addStrategy(address strategy) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _strategies.push(strategy);
    }

    function _valueOf(address strategy) private view returns (uint256) {
        try Strategy(strategy).totalValue() returns (uint256 value) {
            return value;
        } catch {
            return 0;
        }
    }
}
