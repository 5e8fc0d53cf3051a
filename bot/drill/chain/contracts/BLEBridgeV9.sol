// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MUSD} from "./MUSD.sol";
import {PracticePausable} from "./PracticePausable.sol";

/// The bridge path: what leaves Canton is minted here once the validators have attested it.
/// Pausing takes one call; unpausing takes a request, 24 hours and a second call.
contract BLEBridgeV9 is PracticePausable {
    bytes32 public constant EMERGENCY_ROLE = keccak256("EMERGENCY_ROLE");
    bytes32 public constant RELAYER_ROLE = keccak256("RELAYER_ROLE");
    bytes32 public constant VALIDATOR_ROLE = keccak256("VALIDATOR_ROLE");
    uint256 public constant UNPAUSE_DELAY = 24 hours;

    MUSD public immutable musd;
    address public relayer;
    address[3] public validators;
    /// When unpausing was asked for, in seconds since 1970; zero when nobody has.
    uint256 public unpauseRequestTime;
    mapping(bytes32 attestation => bool) public used;

    event BridgeMinted(bytes32 indexed attestation, address indexed to, uint256 amount);
    event RelayerUpdated(address indexed oldRelayer, address indexed newRelayer);
    event ValidatorUpdated(uint256 indexed index, address indexed oldValidator, address indexed newValidator);
    event UnpauseRequested(uint256 requestTime, uint256 executeAfter);

    error UseRequestUnpause();
    error NoUnpauseRequested();
    error UnpauseTooEarly(uint256 executeAfter);
    error AttestationUsed(bytes32 attestation);

    constructor(MUSD musd_, address relayer_, address[3] memory validators_) {
        musd = musd_;
        relayer = relayer_;
        validators = validators_;
        _grantRole(RELAYER_ROLE, relayer_);
        for (uint256 i = 0; i < 3; i++) _grantRole(VALIDATOR_ROLE, validators_[i]);
    }

    function mint(bytes32 attestation, address to, uint256 amount) external onlyRole(RELAYER_ROLE) whenNotPaused {
        if (used[attestation]) revert AttestationUsed(attestation);
        used[attestation] = true;
        musd.mint(to, amount);
        emit BridgeMinted(attestation, to, amount);
    }

    /// Also while an unpause is asked for the contract is paused, so this reverts and does not take the request back.
    function pause() external onlyRole(EMERGENCY_ROLE) {
        _pause();
    }

    function unpause() external pure {
        revert UseRequestUnpause();
    }

    function requestUnpause() external onlyRole(DEFAULT_ADMIN_ROLE) whenPaused {
        unpauseRequestTime = block.timestamp;
        emit UnpauseRequested(block.timestamp, block.timestamp + UNPAUSE_DELAY);
    }

    function executeUnpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (unpauseRequestTime == 0) revert NoUnpauseRequested();
        uint256 executeAfter = unpauseRequestTime + UNPAUSE_DELAY;
        if (block.timestamp < executeAfter) revert UnpauseTooEarly(executeAfter);
        unpauseRequestTime = 0;
        _unpause();
    }

    function updateRelayer(address newRelayer) external onlyRole(DEFAULT_ADMIN_ROLE) {
        emit RelayerUpdated(relayer, newRelayer);
        _revokeRole(RELAYER_ROLE, relayer);
        _grantRole(RELAYER_ROLE, newRelayer);
        relayer = newRelayer;
    }

    function updateValidator(uint256 index, address newValidator) external onlyRole(DEFAULT_ADMIN_ROLE) {
        emit ValidatorUpdated(index, validators[index], newValidator);
        _revokeRole(VALIDATOR_ROLE, validators[index]);
        _grantRole(VALIDATOR_ROLE, newValidator);
        validators[index] = newValidator;
    }
}
