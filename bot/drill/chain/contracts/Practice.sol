// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

/// What every practice contract has: roles, and one more for whoever breaks and mends the practice world.
/// No role of the real protocol opens a `practice…` function, so no key of the bot's can.
abstract contract Practice is AccessControl {
    bytes32 public constant PRACTICE_ROLE = keccak256("PRACTICE_ROLE");

    constructor() {
        _grantRole(DEFAULT_ADMIN_ROLE, msg.sender);
        _grantRole(PRACTICE_ROLE, msg.sender);
    }
}
