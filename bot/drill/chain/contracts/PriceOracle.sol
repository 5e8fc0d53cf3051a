// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Practice} from "./Practice.sol";

/// Prices in USD, 18 decimals. A price nobody should act on is not returned: the call reverts and says why.
contract PriceOracle is Practice {
    bytes32 public constant FEEDER_ROLE = keccak256("FEEDER_ROLE");

    struct Feed {
        uint256 price;
        uint256 updatedAt;
        uint256 maxAge;
        bool enabled;
        bool broken;
    }

    mapping(address token => Feed) private _feeds;

    event FeedSet(address indexed token, uint256 maxAge, bool enabled);
    event PriceUpdated(address indexed token, uint256 price, uint256 updatedAt);
    event CircuitBreakerTripped(address indexed token);
    event CircuitBreakerReset(address indexed token);

    error StalePrice(address token, uint256 updatedAt, uint256 maxAge);
    error CircuitBreakerActive(address token);
    error FeedNotEnabled(address token);

    function getPrice(address token) public view returns (uint256) {
        if (_feeds[token].broken) revert CircuitBreakerActive(token);
        return getPriceUnsafe(token);
    }

    /// The runbook's name for `getPrice`.
    function getLatestPrice(address token) external view returns (uint256) {
        return getPrice(token);
    }

    /// The price past the circuit breaker, and only past that.
    function getPriceUnsafe(address token) public view returns (uint256) {
        Feed storage feed = _feeds[token];
        if (!feed.enabled) revert FeedNotEnabled(token);
        if (block.timestamp > feed.updatedAt + feed.maxAge) revert StalePrice(token, feed.updatedAt, feed.maxAge);
        return feed.price;
    }

    /// The last price whatever its age: liquidations proceed with it.
    function lastPrice(address token) external view returns (uint256) {
        return _feeds[token].price;
    }

    function lastUpdate(address token) external view returns (uint256) {
        return _feeds[token].updatedAt;
    }

    function maxAge(address token) external view returns (uint256) {
        return _feeds[token].maxAge;
    }

    function updatePrice(address token, uint256 price) external onlyRole(FEEDER_ROLE) {
        _feeds[token].price = price;
        _feeds[token].updatedAt = block.timestamp;
        emit PriceUpdated(token, price, block.timestamp);
    }

    function setFeed(address token, uint256 maxAge_, bool enabled) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _feeds[token].maxAge = maxAge_;
        _feeds[token].enabled = enabled;
        emit FeedSet(token, maxAge_, enabled);
    }

    function practiceAge(address token, uint256 updatedAt) external onlyRole(PRACTICE_ROLE) {
        _feeds[token].updatedAt = updatedAt;
    }

    function practiceBreaker(address token, bool active) external onlyRole(PRACTICE_ROLE) {
        _feeds[token].broken = active;
        if (active) emit CircuitBreakerTripped(token);
        else emit CircuitBreakerReset(token);
    }
}
