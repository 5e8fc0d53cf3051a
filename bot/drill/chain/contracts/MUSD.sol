// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Practice} from "./Practice.sol";

/// The stablecoin, 18 decimals. Which path minted is read from the transaction: `Transfer` from zero here, and
/// `Minted`, `Borrowed` or `BridgeMinted` of the caller beside it.
contract MUSD is ERC20, Practice {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// All mUSD there may be, here and on Canton together.
    uint256 public supplyCap;
    /// The part of it that may be minted on this chain, in basis points.
    uint256 public localCapBps;
    /// Whether minting heeds the cap; the practised breach is that it does not.
    bool public capHeeded = true;

    event SupplyCapChanged(uint256 oldCap, uint256 newCap);

    error ExceedsSupplyCap(uint256 supply, uint256 cap);

    constructor(uint256 supplyCap_, uint256 localCapBps_) ERC20("Minted USD", "mUSD") {
        supplyCap = supplyCap_;
        localCapBps = localCapBps_;
    }

    function localCap() public view returns (uint256) {
        return supplyCap * localCapBps / 10_000;
    }

    function mint(address to, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(to, amount);
        if (capHeeded && totalSupply() > localCap()) revert ExceedsSupplyCap(totalSupply(), localCap());
    }

    function burn(address from, uint256 amount) external onlyRole(MINTER_ROLE) {
        _burn(from, amount);
    }

    function setSupplyCap(uint256 newCap) external onlyRole(DEFAULT_ADMIN_ROLE) {
        emit SupplyCapChanged(supplyCap, newCap);
        supplyCap = newCap;
    }

    function practiceHeedCap(bool heed) external onlyRole(PRACTICE_ROLE) {
        capHeeded = heed;
    }

    function practiceBurn(address from, uint256 amount) external onlyRole(PRACTICE_ROLE) {
        _burn(from, amount);
    }
}
