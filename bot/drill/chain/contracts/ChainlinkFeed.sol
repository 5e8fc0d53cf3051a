// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Practice} from "./Practice.sol";

/// A price feed as Chainlink's AggregatorV3Interface has it: US dollars, 8 decimals.
contract ChainlinkFeed is Practice {
    uint8 public constant decimals = 8;
    string public constant description = "CC / USD";
    uint80 private _round;
    int256 private _answer;
    uint256 private _updatedAt;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (_round, _answer, _updatedAt, _updatedAt, _round);
    }

    function practiceAnswer(int256 answer) external onlyRole(PRACTICE_ROLE) {
        _round += 1;
        _answer = answer;
        _updatedAt = block.timestamp;
        emit AnswerUpdated(answer, _round, block.timestamp);
    }
}
