// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Practice} from "./Practice.sol";

/// Any plain token the protocol holds: USDC with 6 decimals, the collateral with 18.
contract PracticeToken is ERC20, Practice {
    uint8 private immutable _decimals;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) {
        _decimals = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    /// Give `account` exactly `balance`.
    function practiceSetBalance(address account, uint256 balance) external onlyRole(PRACTICE_ROLE) {
        uint256 present = balanceOf(account);
        if (balance > present) _mint(account, balance - present);
        else _burn(account, present - balance);
    }
}
