#!/usr/bin/env escript
%% A TURN server of ProcessOne's, as ejabberd has it, on 127.0.0.1 over UDP, with one user.
%%
%% Usage: p1_server.escript PORT USERNAME PASSWORD [NETWORK]...
%%
%% The networks are its blacklist, of clients and of peers. It prints a line when it listens, and ends with its standard
%% input.
main([Port, Username, Password | Networks]) ->
    {ok, _} = application:ensure_all_started(stun),
    User = list_to_binary(Username),
    Options = [
        {use_turn, true},
        {auth_type, user},
        {auth_realm, <<"p1.example">>},
        {auth_fun, fun
            (Name, _Realm) when Name =:= User -> list_to_binary(Password);
            (_, _) -> <<>>
        end},
        {turn_ipv4_address, {127, 0, 0, 1}},
        {turn_blacklist, [network(Text) || Text <- Networks]}
    ],
    ok = stun_listener:add_listener({127, 0, 0, 1}, list_to_integer(Port), udp, Options),
    io:format("listening~n"),
    eof = io:get_line("").

network(Text) ->
    [Address, Length] = string:split(Text, "/"),
    {ok, Parsed} = inet:parse_address(Address),
    {Parsed, list_to_integer(Length)}.
