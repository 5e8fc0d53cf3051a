// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// The protocol's 48 hour timelock: the practice admin proposes, anybody executes.
contract Timelock is TimelockController {
    constructor(address[] memory proposers) TimelockController(48 hours, proposers, new address[](1), msg.sender) {}
}
