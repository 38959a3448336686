//! The box's own network: loopback up, every address local, by netlink messages written out by hand.

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

const RTM_NEWLINK: u16 = 16;
const RTM_NEWROUTE: u16 = 24;
const REQUEST_ACK: u16 = 0x1 | 0x4;
const CREATE: u16 = 0x400;
const LOOPBACK_INDEX: u32 = 1;

/// Raises the loopback device and routes every IPv4 and (where there is one) IPv6 address to it.
pub(super) fn raise() -> io::Result<()> {
    talk(RTM_NEWLINK, REQUEST_ACK, &link_up())?;
    talk(RTM_NEWROUTE, REQUEST_ACK | CREATE, &all_local(2))?;
    // A kernel without IPv6 is no fault.
    drop(talk(RTM_NEWROUTE, REQUEST_ACK | CREATE, &all_local(10)));
    Ok(())
}

/// `ifinfomsg` with the flag IFF_UP.
fn link_up() -> Vec<u8> {
    let mut body = vec![0_u8; 4];
    body.extend(LOOPBACK_INDEX.to_ne_bytes());
    body.extend(1_u32.to_ne_bytes());
    body.extend(1_u32.to_ne_bytes());
    body
}

/// `rtmsg` for "local default dev lo": table local, boot protocol, host scope, type local, then the attribute RTA_OIF.
fn all_local(family: u8) -> Vec<u8> {
    let mut body = vec![family, 0, 0, 0, 255, 3, 254, 2];
    body.extend(0_u32.to_ne_bytes());
    body.extend(8_u16.to_ne_bytes());
    body.extend(4_u16.to_ne_bytes());
    body.extend(LOOPBACK_INDEX.to_ne_bytes());
    body
}

fn talk(kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let length = u32::try_from(16 + body.len()).map_err(io::Error::other)?;
    let mut message = Vec::with_capacity(16 + body.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(body);
    rustix::net::sendto(&socket, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut reply = [0_u8; 512];
    rustix::net::recv(&socket, &mut reply, RecvFlags::empty())?;
    // An acknowledgement is an error message with code 0 behind the 16-byte header.
    let code = reply.get(16..20).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map_or(0, i32::from_ne_bytes);
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-code)) }
}
