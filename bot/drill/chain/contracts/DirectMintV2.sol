// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {MUSD} from "./MUSD.sol";
import {PracticePausable} from "./PracticePausable.sol";
import {Treasury} from "./Treasury.sol";

/// The direct path: USDC in, as much mUSD out, and back.
contract DirectMintV2 is PracticePausable {
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    bytes32 public constant TIMELOCK_ROLE = keccak256("TIMELOCK_ROLE");
    uint256 private constant SCALE = 1e12;

    MUSD public immutable musd;
    IERC20 public immutable usdc;
    Treasury public immutable treasury;

    event Minted(address indexed user, uint256 usdcIn, uint256 musdOut, uint256 fee);
    event Redeemed(address indexed user, uint256 musdIn, uint256 usdcOut, uint256 fee);

    constructor(MUSD musd_, IERC20 usdc_, Treasury treasury_) {
        musd = musd_;
        usdc = usdc_;
        treasury = treasury_;
    }

    /// The runbook's place for the cap; 18 decimals.
    function supplyCap() external view returns (uint256) {
        return musd.supplyCap();
    }

    function mint(uint256 usdcAmount) external whenNotPaused returns (uint256 musdAmount) {
        usdc.transferFrom(msg.sender, address(treasury), usdcAmount);
        musdAmount = usdcAmount * SCALE;
        musd.mint(msg.sender, musdAmount);
        emit Minted(msg.sender, usdcAmount, musdAmount, 0);
    }

    function redeem(uint256 musdAmount) external whenNotPaused returns (uint256 usdcAmount) {
        musd.burn(msg.sender, musdAmount);
        usdcAmount = musdAmount / SCALE;
        treasury.pay(msg.sender, usdcAmount);
        emit Redeemed(msg.sender, musdAmount, usdcAmount, 0);
    }

    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    function unpause() external {
        if (!hasRole(TIMELOCK_ROLE, msg.sender)) _checkRole(DEFAULT_ADMIN_ROLE);
        _unpause();
    }
}
