// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Says whether an account accepts a signature of a digest, without being deployed: its creation code is called with the
/// question behind it, and what it "deploys" is one byte, 1 for yes. Whatever the account or the factory of its wallet
/// does, the answer is one of the two. Source: ERC-1271, ERC-6492.
contract SignatureCheck {
    /// What an ERC-6492 signature ends with.
    bytes32 private constant MAGIC = 0x6492649264926492649264926492649264926492649264926492649264926492;
    /// `isValidSignature(bytes32,bytes)`, and what it answers for yes.
    bytes4 private constant ACCEPTS = 0x1626ba7e;
    /// Left for this contract, whatever those that it calls use up.
    uint256 private constant OWN_GAS = 200_000;

    constructor(address account, bytes32 digest, bytes memory signature) {
        bool isAccepted = decide(account, digest, signature);
        assembly {
            mstore(0, isAccepted)
            return(31, 1)
        }
    }

    function decide(address account, bytes32 digest, bytes memory signature) private returns (bool) {
        if (!isWrapped(signature)) return asked(account, digest, signature);
        bytes memory wrapped = signature;
        assembly {
            mstore(wrapped, sub(mload(wrapped), 32))
        }
        if (!isWellFormed(wrapped)) return false;
        (address factory, bytes memory deployment, bytes memory inner) = abi.decode(
            wrapped,
            (address, bytes, bytes)
        );
        if (account.code.length > 0 && asked(account, digest, inner)) return true;
        called(factory, deployment);
        return asked(account, digest, inner);
    }

    function isWrapped(bytes memory signature) private pure returns (bool) {
        uint256 length = signature.length;
        if (length < 32) return false;
        bytes32 end;
        assembly {
            end := mload(add(signature, length))
        }
        return end == MAGIC;
    }

    /// Whether `abi.decode` reads it: it would end this call otherwise.
    function isWellFormed(bytes memory wrapped) private pure returns (bool) {
        uint256 length = wrapped.length;
        if (length < 160) return false;
        uint256 factory;
        uint256 first;
        uint256 second;
        assembly {
            factory := mload(add(wrapped, 32))
            first := mload(add(wrapped, 64))
            second := mload(add(wrapped, 96))
        }
        return factory <= type(uint160).max && holds(wrapped, first) && holds(wrapped, second);
    }

    function holds(bytes memory wrapped, uint256 offset) private pure returns (bool) {
        uint256 length = wrapped.length;
        if (offset > length - 32) return false;
        uint256 size;
        assembly {
            size := mload(add(add(wrapped, 32), offset))
        }
        return size <= length - 32 - offset;
    }

    function asked(address account, bytes32 digest, bytes memory signature) private view returns (bool) {
        if (account.code.length == 0) return false;
        bytes memory question = abi.encodeWithSelector(ACCEPTS, digest, signature);
        uint256 left = gasleft();
        if (left <= OWN_GAS) return false;
        uint256 allowed = left - OWN_GAS;
        bool isAccepted;
        assembly {
            mstore(0, 0)
            let done := staticcall(allowed, account, add(question, 32), mload(question), 0, 32)
            isAccepted := and(done, and(gt(returndatasize(), 31), eq(mload(0), ACCEPTS)))
        }
        return isAccepted;
    }

    function called(address factory, bytes memory deployment) private {
        uint256 left = gasleft();
        if (left <= OWN_GAS) return;
        uint256 allowed = left - OWN_GAS;
        assembly {
            pop(call(allowed, factory, 0, add(deployment, 32), mload(deployment), 0, 0))
        }
    }
}
