// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {MUSD} from "./MUSD.sol";
import {PracticePausable} from "./PracticePausable.sol";
import {PriceOracle} from "./PriceOracle.sol";

/// The lending path: mUSD against collateral. Paused, it neither lends nor takes repayments.
contract BorrowModule is PracticePausable {
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    bytes32 public constant TIMELOCK_ROLE = keccak256("TIMELOCK_ROLE");
    /// A position may owe this share of its collateral's worth, in basis points; above it, it can be liquidated.
    uint256 public constant MAX_DEBT_BPS = 8_000;

    MUSD public immutable musd;
    IERC20 public immutable collateralToken;
    PriceOracle public immutable oracle;
    mapping(address user => uint256) public collateralOf;
    mapping(address user => uint256) public debtOf;

    event CollateralDeposited(address indexed user, uint256 amount);
    event Borrowed(address indexed user, uint256 amount, uint256 totalDebt);
    event Repaid(address indexed user, uint256 amount, uint256 remaining);
    event Liquidation(
        address indexed liquidator, address indexed borrower, uint256 debtRepaid, uint256 collateralSeized
    );

    error TooMuchDebt(uint256 debt, uint256 allowed);
    error PositionHealthy(address borrower);

    constructor(MUSD musd_, IERC20 collateralToken_, PriceOracle oracle_) {
        musd = musd_;
        collateralToken = collateralToken_;
        oracle = oracle_;
    }

    function deposit(uint256 amount) external whenNotPaused {
        collateralToken.transferFrom(msg.sender, address(this), amount);
        collateralOf[msg.sender] += amount;
        emit CollateralDeposited(msg.sender, amount);
    }

    function borrow(uint256 amount) external whenNotPaused {
        debtOf[msg.sender] += amount;
        uint256 allowed = _allowed(msg.sender, oracle.getPrice(address(collateralToken)));
        if (debtOf[msg.sender] > allowed) revert TooMuchDebt(debtOf[msg.sender], allowed);
        musd.mint(msg.sender, amount);
        emit Borrowed(msg.sender, amount, debtOf[msg.sender]);
    }

    function repay(uint256 amount) external whenNotPaused {
        musd.burn(msg.sender, amount);
        debtOf[msg.sender] -= amount;
        emit Repaid(msg.sender, amount, debtOf[msg.sender]);
    }

    /// Close a position that owes too much. Goes on while paused and with the last price, however old.
    function liquidate(address borrower) external {
        uint256 debt = debtOf[borrower];
        if (debt <= _allowed(borrower, oracle.lastPrice(address(collateralToken)))) revert PositionHealthy(borrower);
        uint256 seized = collateralOf[borrower];
        musd.burn(msg.sender, debt);
        delete debtOf[borrower];
        delete collateralOf[borrower];
        collateralToken.transfer(msg.sender, seized);
        emit Liquidation(msg.sender, borrower, debt, seized);
    }

    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    function unpause() external {
        if (!hasRole(TIMELOCK_ROLE, msg.sender)) _checkRole(DEFAULT_ADMIN_ROLE);
        _unpause();
    }

    /// A position as if it had long been there, whether it is sound or not.
    function practicePosition(address user, uint256 collateral, uint256 debt) external onlyRole(PRACTICE_ROLE) {
        collateralOf[user] = collateral;
        debtOf[user] = debt;
    }

    function _allowed(address user, uint256 price) private view returns (uint256) {
        return collateralOf[user] * price / 1e18 * MAX_DEBT_BPS / 10_000;
    }
}
