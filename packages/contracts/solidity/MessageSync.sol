// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Anchors messages: whoever pays for the transaction is named in the event, which nodes read. It keeps no state and
/// asks nobody for leave; whose archives count is said by the network definition.
contract MessageSync {
    /// An archive of messages, or messages themselves, as the JSON text `message`.
    event SyncEvent(uint256 timestamp, address addr, string message);

    /// One message whose sender is the caller.
    event MessageEvent(uint256 timestamp, address addr, string msgtype, string msgcontent);

    function doEmit(string calldata message) external {
        emit SyncEvent(block.timestamp, msg.sender, message);
    }

    function doMessage(string calldata msgtype, string calldata msgcontent) external {
        emit MessageEvent(block.timestamp, msg.sender, msgtype, msgcontent);
    }
}
