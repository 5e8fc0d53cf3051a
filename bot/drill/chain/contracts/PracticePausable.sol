// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {Practice} from "./Practice.sol";

/// A contract of the pause list. Who may pause and unpause differs, so each says it for itself.
abstract contract PracticePausable is Practice, Pausable {
    /// Undo a pause that a practised fault made; people's own pauses are left to people.
    function practiceUnpause() external onlyRole(PRACTICE_ROLE) {
        _unpause();
    }
}
