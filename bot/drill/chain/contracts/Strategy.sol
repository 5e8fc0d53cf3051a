// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Practice} from "./Practice.sol";

/// Where the Treasury puts USDC to work: a value, a yield not yet claimed and the losses so far, all in 6 decimals.
contract Strategy is Practice {
    string public name;
    uint256 public pendingYield;
    uint256 public reportedLoss;
    uint256 public lastReport;
    /// Whether reading the value reverts, as a strategy whose own protocol is in trouble does.
    bool public broken;
    uint256 private _value;

    event YieldReported(uint256 amount);
    event LossReported(uint256 amount);

    error StrategyBroken();

    constructor(string memory name_) {
        name = name_;
    }

    function totalValue() external view returns (uint256) {
        if (broken) revert StrategyBroken();
        return _value;
    }

    function practiceSet(uint256 value, uint256 pendingYield_) external onlyRole(PRACTICE_ROLE) {
        _value = value;
        pendingYield = pendingYield_;
        lastReport = block.timestamp;
        emit YieldReported(pendingYield_);
    }

    function practiceBreak(bool broken_) external onlyRole(PRACTICE_ROLE) {
        broken = broken_;
    }

    function practiceLose(uint256 amount) external onlyRole(PRACTICE_ROLE) {
        _value -= amount;
        reportedLoss += amount;
        lastReport = block.timestamp;
        emit LossReported(amount);
    }

    /// Make good what was lost.
    function practiceForgive() external onlyRole(PRACTICE_ROLE) {
        _value += reportedLoss;
        reportedLoss = 0;
    }
}
